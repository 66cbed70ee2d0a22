using System.Diagnostics;

namespace Plumb.EndToEnd.Cni;

/// <summary>A machine of its own for a container runtime as it is installed: network, mount and pid namespace, and the node's agent in it. Needs root.</summary>
internal sealed class RuntimeMachine : IAsyncDisposable
{
    public const string Address = "192.168.1.11";

    // Nobody outside hears of its link, and what its programs keep in /run and /var/lib ends with it.
    private const string Script =
        $"""
        mount -t tmpfs tmpfs /run && mkdir /run/netns && mount -t tmpfs tmpfs /var/lib && ip link set lo up && ip link add eth0 type veth peer name wire &&
        ip link set wire up && ip link set eth0 up && ip addr add {Address}/24 dev eth0 && echo up && exec sleep infinity
        """;

    private readonly LabUser _user = new();
    private readonly List<Process> _processes = [];
    private int _first;

    private RuntimeMachine()
    {
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Below which control groups are made; they go with the machine.</summary>
    public string Cgroup { get; } = $"/plumb-test-{Guid.NewGuid():N}";

    /// <summary>Skips the test where this program is not installed.</summary>
    public static void Needs(string program) => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program))), $"there is no {program} on this machine");

    public static async Task<RuntimeMachine> StartAsync()
    {
        var machine = new RuntimeMachine();
        try
        {
            foreach (var folder in (string[])["net.d", "bin", "state"])
            {
                Directory.CreateDirectory(machine.PathOf(folder));
            }
            var first = machine.StartOutside("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", Script);
            Assert.Equal("up", await first.StandardOutput.ReadLineAsync(Cancel));
            machine._first = int.Parse((await File.ReadAllTextAsync($"/proc/{first.Id}/task/{first.Id}/children", Cancel)).Trim());
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // With its first process a machine ends, with all of its processes and mounts.
        foreach (var process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
        if (_first != 0)
        {
            await WaitAsync(() => Task.FromResult(!Directory.Exists($"/proc/{_first}")));
        }
        foreach (var left in Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(hierarchy => hierarchy + Cgroup).Where(Directory.Exists))
        {
            // The deepest first; files of a control group go with it.
            foreach (var group in Directory.EnumerateDirectories(left, "*", SearchOption.AllDirectories).OrderByDescending(static path => path.Length).Append(left))
            {
                Directory.Delete(group);
            }
        }
        await _user.DisposeAsync();
    }

    /// <summary>Of the machine's own files, which others see, too.</summary>
    public string PathOf(string part) => Path.Combine(_user.RuntimeDirectory, part);

    /// <summary>A script on the test's own machine, in <see cref="PathOf"/>.</summary>
    public async Task OutsideAsync(string script) => (await Commands.RunAsync(_user.Environment, null, "sh", "-ec", $"cd {_user.RuntimeDirectory} && {script}")).Succeeds();

    /// <summary>What a command that succeeds says there.</summary>
    public async Task<string> InsideAsync(params string[] command) => (await TryInsideAsync(null, command)).Succeeds().Output;

    public Task<CommandResult> TryInsideAsync(string? input, params string[] command) => Commands.RunAsync(_user.Environment, input, "nsenter", [.. Inside, .. command]);

    /// <summary>A program that goes on; the machine's end is its end.</summary>
    public Process Start(params string[] command) => StartOutside("nsenter", [.. Inside, .. command]);

    /// <summary>What begins a command in the network namespace that has this address.</summary>
    public async Task<string[]> InNamespaceOfAsync(string address)
    {
        var name = await InsideAsync("sh", "-c", $"cd /run/netns && for one in *; do if ip -n $one -o addr | grep -qF '{address}/'; then echo $one; fi; done");
        return ["nsenter", $"--net=/run/netns/{name.Trim()}", "--"];
    }

    /// <summary>Sets a variable for all commands from now on.</summary>
    public void Set(string variable, string value) => _user.Set(variable, value);

    /// <summary>
    /// The node's agent, when it serves pods: one whose API is away, but which knows its nodes from before. The plugin and its configuration are in `bin` and `net.d`.
    /// </summary>
    /// <param name="program">Null: the one that was built.</param>
    public async Task<Process> StartAgentAsync(string? program = null)
    {
        await File.WriteAllTextAsync(
            PathOf("state/nodes.json"),
            $$"""{"nodes": [{"name": "machine", "addresses": ["{{Address}}"], "podRanges": ["10.244.1.0/24"], "created": "2026-01-01T00:00:00Z"}]}""",
            Cancel);
        await File.WriteAllTextAsync(
            PathOf("kubeconfig"),
            "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: a, user: {token: a}}]}",
            Cancel);
        var agent = Start(
            program ?? Commands.Plumb, "agent", "--node", "machine", "--kubeconfig", PathOf("kubeconfig"), "--state-dir", PathOf("state"), "--socket", PathOf("cni.sock"),
            "--cni-conf-dir", PathOf("net.d"), "--cni-bin-dir", PathOf("bin"));
        await SaidAsync(agent, "machine serves pods");
        return agent;
    }

    /// <summary>Waits until a program says this on its standard error.</summary>
    public static async Task SaidAsync(Process process, string line)
    {
        var said = new System.Text.StringBuilder();
        while (await process.StandardError.ReadLineAsync(Cancel) is { } next)
        {
            said.AppendLine(next);
            if (next.Contains(line, StringComparison.Ordinal))
            {
                // Read on: who writes to a full pipe stands still.
                _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
                return;
            }
        }
        throw new Xunit.Sdk.XunitException($"it ended without '{line}':\n{said}");
    }

    // Nothing tells of these; the test's own limit of time ends a wait that is in vain.
    public static async Task WaitAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(20, Cancel);
        }
    }

    // Who enters a pid namespace is there only with its child, which ends with it.
    private string[] Inside => ["--target", $"{_first}", "--net", "--mount", "--pid", "--", "setpriv", "--pdeathsig", "KILL", "--"];

    private Process StartOutside(string program, params string[] arguments)
    {
        var process = Commands.Start(_user.Environment, program, arguments);
        _processes.Insert(0, process);
        return process;
    }
}
