using System.Text.Json.Nodes;

namespace Plumb.EndToEnd.Cni;

/// <summary>Calls <c>plumb-cni</c> as a container runtime does: variables, configuration on standard input, result on standard output.</summary>
internal static class Plugin
{
    public static string Path { get; } = System.IO.Path.Combine(Commands.Repository, "artifacts", "plumb", "current", "plumb-cni");

    public static async Task<(int ExitCode, string Output)> CallAsync(string configuration, params (string Name, string Value)[] variables)
    {
        var environment = variables.ToDictionary(static one => one.Name, static one => (string?)one.Value);
        var result = await Commands.RunAsync(environment, configuration, Path);
        Assert.Equal("", result.Error);
        return (result.ExitCode, result.Output);
    }

    public static async Task<(int ExitCode, JsonNode Output)> JsonAsync(string configuration, params (string Name, string Value)[] variables)
    {
        var (code, output) = await CallAsync(configuration, variables);
        return (code, JsonNode.Parse(output)!);
    }
}
