using System.Text;
using System.Text.Json.Nodes;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Processes;

namespace Plumb.Testing;

/// <summary>Programs that were not written by us and that look at the same kernel.</summary>
internal static class Witness
{
    /// <summary>Runs a program inside a namespace (null: at home) and returns what it printed; fails the test if it fails.</summary>
    public static async Task<string> Run(NetworkNamespace? inside, string program, params string[] arguments)
    {
        using var child = Spawn.Start(new SpawnRequest(program)
        {
            Arguments = arguments,
            Output = SpawnStream.Pipe,
            Error = SpawnStream.Pipe,
            Namespaces = inside is null ? null : new SpawnNamespaces { Network = inside },
        });
        using var output = new StreamReader(child.Output!, Encoding.UTF8);
        using var error = new StreamReader(child.Error!, Encoding.UTF8);
        var errors = error.ReadToEndAsync(TestContext.Current.CancellationToken);
        var text = await output.ReadToEndAsync(TestContext.Current.CancellationToken);
        var status = await child.Exited;
        Assert.True(status.Code == 0, $"{program} {string.Join(' ', arguments)}: {status}\n{await errors}");
        return text;
    }

    public static Task<string> Shell(NetworkNamespace inside, string script) => Run(inside, "/bin/sh", "-ec", script);

    /// <summary>The list that <c>ip -j</c> or <c>bridge -j</c> prints.</summary>
    public static async Task<JsonArray> Json(NetworkNamespace inside, string commandLine)
    {
        var words = commandLine.Split(' ');
        var text = await Run(inside, words[0], words[1..]);
        return text.Trim().Length == 0 ? [] : JsonNode.Parse(text)!.AsArray();
    }
}
