using System.Diagnostics;

namespace Plumb.EndToEnd.Cni;

/// <summary>containerd as it is installed, on a machine of its own (network, mount and pid namespace), asked for sandboxes as a kubelet asks; the node's agent beside it.</summary>
public sealed class ContainerdTests : IAsyncDisposable
{
    private const string Address = "192.168.1.11";

    // The image of every sandbox: something that waits.
    private const string Image =
        """
        mkdir -p image/bin && cp "$(command -v busybox)" image/bin/sleep
        umoci init --layout oci && umoci new --image oci:pause && umoci insert --image oci:pause image/bin/sleep /bin/sleep
        umoci config --image oci:pause --config.entrypoint /bin/sleep --config.cmd 1000000
        skopeo copy -q oci:oci:pause docker-archive:pause.tar:localhost/pause:1
        """;

    // Nobody outside hears of its link, and what it keeps in /run ends with it.
    private const string Machine =
        $"""
        mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && ip link add eth0 type veth peer name wire &&
        ip link set wire up && ip link set eth0 up && ip addr add {Address}/24 dev eth0 && echo up && exec sleep infinity
        """;

    // Without a carrier's and a group's coming and going, which are the kernel's.
    private const string Network =
        "ip -br link | cut -d ' ' -f 1; ip neigh show nud permanent; bridge fdb show | grep -vE '^(33:33|01:00)'; sysctl net.ipv4.conf.cni0.route_localnet; nft list ruleset | grep -v counter";

    private readonly LabUser _user = new();
    private readonly List<Process> _processes = [];
    private readonly string _cgroup = $"/plumb-test-{Environment.ProcessId}";
    private int _machine;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        // With its first process a machine ends, with all of its processes and mounts.
        foreach (var process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
        if (_machine != 0)
        {
            await WaitAsync(() => Task.FromResult(!Directory.Exists($"/proc/{_machine}")));
        }
        foreach (var left in Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(hierarchy => hierarchy + _cgroup).Where(Directory.Exists))
        {
            foreach (var sandbox in Directory.EnumerateDirectories(left))
            {
                Directory.Delete(sandbox);
            }
            Directory.Delete(left);
        }
        await _user.DisposeAsync();
    }

    [Fact, Trait("Needs", "Root")]
    public async Task A_sandbox_of_containerd_has_an_address_while_it_lives_and_nothing_after()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(static folder => File.Exists(Path.Combine(folder, "containerd"))), "there is no containerd on this machine");
        await StartMachineAsync();
        await StartContainerdAsync();
        using var runtime = new ContainerRuntimeInterface(PathOf("containerd.sock"));
        Assert.Contains("cni plugin not initialized", await runtime.NetworkTroubleAsync(), StringComparison.Ordinal);
        var agent = await StartAgentAsync();
        await WaitAsync(async () => await runtime.NetworkTroubleAsync() == "");
        var before = await InsideAsync("sh", "-c", Network);

        var first = await runtime.RunAsync("first", _cgroup, (8080, 80));
        var second = await runtime.RunAsync("second", _cgroup);

        var address = await runtime.AddressAsync(second);
        Assert.Matches(@"^10\.244\.1\.\d+$", address);
        Assert.NotEqual(address, await runtime.AddressAsync(first));
        await InsideAsync("ping", "-c", "1", "-W", "20", address);
        Assert.Contains("8080", await InsideAsync("nft", "list", "map", "ip", "plumb", "hostports"), StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<RuntimeException>(() => runtime.RunAsync("third", _cgroup, (8080, 80)));
        Assert.Contains("8080", refused.Message, StringComparison.Ordinal);

        // Without an agent a sandbox keeps its network, and cannot end: the runtime's caller asks again.
        agent.Kill();
        await agent.WaitForExitAsync(Cancel);
        await InsideAsync("ping", "-c", "1", "-W", "20", address);
        Assert.Contains("plumb", (await Assert.ThrowsAsync<RuntimeException>(() => runtime.StopAsync(second))).Message, StringComparison.Ordinal);
        await StartAgentAsync();
        await InsideAsync("ping", "-c", "1", "-W", "20", address);
        await WaitAsync(async () =>
        {
            try
            {
                await runtime.StopAsync(second);
                return true;
            }
            catch (RuntimeException)
            {
                return false;
            }
        });
        await runtime.StopAsync(second);
        await runtime.StopAsync(first);
        await runtime.RemoveAsync(second);
        await runtime.RemoveAsync(first);

        Assert.Equal(before, await InsideAsync("sh", "-c", Network));
        Assert.Empty(Directory.EnumerateFiles(PathOf("state/leases")));
        Assert.Equal("", await InsideAsync("ls", "/run/netns"));
    }

    private string PathOf(string part) => Path.Combine(_user.RuntimeDirectory, part);

    private async Task StartMachineAsync()
    {
        (await Commands.RunAsync(_user.Environment, null, "sh", "-ec", $"cd {_user.RuntimeDirectory} && mkdir net.d bin state && {Image}")).Succeeds();
        var first = Start("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", Machine);
        Assert.Equal("up", await first.StandardOutput.ReadLineAsync(Cancel));
        _machine = int.Parse((await File.ReadAllTextAsync($"/proc/{first.Id}/task/{first.Id}/children", Cancel)).Trim());
    }

    private async Task StartContainerdAsync()
    {
        await File.WriteAllTextAsync(
            PathOf("containerd.toml"),
            $"""
            version = 2
            root = "{PathOf("containerd")}"
            state = "/run/containerd"
            [grpc]
              address = "{PathOf("containerd.sock")}"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "localhost/pause:1"
              disable_apparmor = true
              restrict_oom_score_adj = true
              containerd.snapshotter = "native"
              cni = {"{"} bin_dir = "{PathOf("bin")}", conf_dir = "{PathOf("net.d")}" {"}"}
            """,
            Cancel);
        var containerd = Start("nsenter", [.. Inside, "containerd", "--config", PathOf("containerd.toml")]);
        await SaidAsync(containerd, "containerd successfully booted");
        await InsideAsync("ctr", "--address", PathOf("containerd.sock"), "--namespace", "k8s.io", "images", "import", "--snapshotter", "native", PathOf("pause.tar"));
    }

    /// <summary>One whose API is away, but which knows its nodes from before.</summary>
    private async Task<Process> StartAgentAsync()
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
            "nsenter",
            [
                .. Inside, Commands.Plumb, "agent", "--node", "machine", "--kubeconfig", PathOf("kubeconfig"), "--state-dir", PathOf("state"), "--socket", PathOf("cni.sock"),
                "--cni-conf-dir", PathOf("net.d"), "--cni-bin-dir", PathOf("bin"),
            ]);
        await SaidAsync(agent, "machine serves pods");
        return agent;
    }

    // Who enters a pid namespace is there only with its child, which ends with it.
    private string[] Inside => ["--target", $"{_machine}", "--net", "--mount", "--pid", "--", "setpriv", "--pdeathsig", "KILL", "--"];

    private async Task<string> InsideAsync(params string[] command) =>
        (await Commands.RunAsync(_user.Environment, null, "nsenter", [.. Inside, .. command])).Succeeds().Output;

    private Process Start(string program, params string[] arguments)
    {
        var process = Commands.Start(_user.Environment, program, arguments);
        _processes.Insert(0, process);
        return process;
    }

    private static async Task SaidAsync(Process process, string line)
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
    private static async Task WaitAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(20, Cancel);
        }
    }
}
