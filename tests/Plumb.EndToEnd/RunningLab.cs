using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>A user with a runtime directory of its own, hence with labs of its own; all of them end with this object.</summary>
public sealed class LabUser : IAsyncDisposable
{
    private readonly Dictionary<string, string?> _environment;

    public LabUser()
    {
        RuntimeDirectory = Directory.CreateTempSubdirectory("p-").FullName;
        _environment = new Dictionary<string, string?> { ["XDG_RUNTIME_DIR"] = RuntimeDirectory, ["TMPDIR"] = RuntimeDirectory };
    }

    public string RuntimeDirectory { get; }

    /// <summary>What is left on disk of this user's labs and commands.</summary>
    public IReadOnlyList<string> Files => Directory.GetFileSystemEntries(RuntimeDirectory, "*", SearchOption.AllDirectories);

    public IReadOnlyDictionary<string, string?> Environment => _environment;

    /// <summary>Sets a variable for all commands from now on.</summary>
    public void Set(string variable, string value) => _environment[variable] = value;

    public Task<CommandResult> PlumbAsync(params string[] arguments) => Commands.RunAsync(_environment, null, Commands.Plumb, arguments);

    public Task<CommandResult> PlumbWithInputAsync(string input, params string[] arguments) =>
        Commands.RunAsync(_environment, input, Commands.Plumb, arguments);

    public async Task<RunningLab> UpAsync(params string[] arguments)
    {
        var name = arguments.SkipWhile(static one => one != "--name").ElementAtOrDefault(1) ?? "default";
        (await PlumbAsync(["up", "--detach", .. arguments])).Succeeds();
        var kubeconfig = (await PlumbAsync("kubeconfig", name)).Succeeds().Output.Trim();
        return new RunningLab(this, name, kubeconfig);
    }

    /// <summary>A lab in which these objects are, and its pods Ready; nobody outside is asked for names.</summary>
    public async Task<RunningLab> UpWithAsync(string manifests, params string[] arguments)
    {
        var file = Path.Combine(RuntimeDirectory, "lab.yaml");
        await File.WriteAllTextAsync(file, manifests, TestContext.Current.CancellationToken);
        return await UpAsync([.. arguments, "--dns-upstream", "none", "-f", file]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var lab in Directory.Exists(Path.Combine(RuntimeDirectory, "plumb"))
                     ? Directory.GetDirectories(Path.Combine(RuntimeDirectory, "plumb"))
                     : [])
        {
            await PlumbAsync("down", Path.GetFileName(lab));
        }
        Directory.Delete(RuntimeDirectory, recursive: true);
    }
}

/// <summary>Pods that many labs have, each with the line that ends its document.</summary>
internal static class Pods
{
    public const string Client =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: client}
        spec: {nodeName: node-1, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}
        ---

        """;
}

/// <summary>A lab that runs, and the tools of the person who started it.</summary>
/// <param name="kubectl">The client that commands go through.</param>
public sealed class RunningLab(LabUser user, string name, string kubeconfig, string kubectl = "kubectl")
{
    public string Name => name;

    /// <summary>What every command of the person finds in its environment.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>(user.Environment) { ["KUBECONFIG"] = kubeconfig };

    /// <summary>The same lab, by another client.</summary>
    public RunningLab With(string client) => new(user, name, kubeconfig, client);

    public string Kubectl => kubectl;

    public string Kubeconfig => kubeconfig;

    public LabUser User => user;

    public Task<CommandResult> KubectlAsync(params string[] arguments) => KubectlWithInputAsync(null, arguments);

    public async Task<CommandResult> KubectlWithInputAsync(string? input, params string[] arguments)
    {
        var result = await Commands.RunAsync(Environment, input, kubectl, arguments);
        // kubectl 1.30 to 1.34 begins to read a WebSocket before it has made its streams: what comes first on an overrun machine is nobody's, and it ends.
        return result.ExitCode != 0 && result.Error.Contains("Unknown stream id", StringComparison.Ordinal)
            ? await Commands.RunAsync(Environment, input, kubectl, arguments)
            : result;
    }

    /// <summary>What kubectl prints, in one line.</summary>
    public async Task<string> GetAsync(params string[] arguments) => (await KubectlAsync(["get", .. arguments])).Succeeds().Output.Trim();

    public async Task<JsonElement> JsonAsync(params string[] arguments) =>
        JsonElement.Parse((await KubectlAsync(["get", .. arguments, "-o", "json"])).Succeeds().Output);

    /// <summary>Waits until <c>kubectl get</c> of this prints exactly that: older clients cannot wait for a field.</summary>
    public async Task UntilAsync(string expected, params string[] arguments)
    {
        var said = "";
        for (var left = 300; left > 0; left--)
        {
            if ((said = await GetAsync(arguments)) == expected)
            {
                return;
            }
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        throw new TimeoutException($"{string.Join(' ', arguments)} is '{said}' after a minute, and not '{expected}'");
    }

    public Task<CommandResult> PlumbAsync(string verb, params string[] arguments) => user.PlumbAsync([verb, "--name", name, .. arguments]);

    /// <summary>A command in a machine's or pod's network namespace.</summary>
    public Task<CommandResult> ShellAsync(string where, params string[] command) => PlumbAsync("shell", [where, "--", .. command]);

    /// <summary>Waits for an event of an object; fails after so many seconds.</summary>
    public async Task<string> EventAsync(string reason, string about, int seconds = 30)
    {
        for (var left = seconds * 5; left > 0; left--)
        {
            var messages = await GetAsync(
                "events", "-A", "--field-selector", $"reason={reason},involvedObject.name={about}", "-o", "jsonpath={range .items[*]}{.message}{\"\\n\"}{end}");
            if (messages.Length > 0)
            {
                return messages;
            }
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        throw new TimeoutException($"no event {reason} about {about} within {seconds} s:\n{await GetAsync("events", "-A")}");
    }
}
