using System.Text.Json;

namespace Plumb.EndToEnd.Cni;

/// <summary>podman as it is installed, its networks made by CNI plugins, on a machine of its own; the node's agent beside it.</summary>
public sealed class PodmanTests
{
    private const string Network =
        "ip -br link | cut -d ' ' -f 1; ip neigh show nud permanent; bridge fdb show | grep -vE '^(33:33|01:00)'; sysctl net.ipv4.conf.cni0.route_localnet; nft list ruleset | grep -v counter";

    // An image of a static busybox: there is no registry here.
    private const string Image =
        """
        mkdir -p root/bin root/www && cp "$(command -v busybox)" root/bin/busybox && echo hello >root/www/index.html
        for name in sh sleep ip ping httpd wget; do ln -s busybox root/bin/$name; done
        tar -C root -cf root.tar .
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact, Trait("Needs", "Root")]
    public async Task Containers_of_podman_have_addresses_reach_one_another_and_are_reached_by_their_ports()
    {
        RuntimeMachine.Needs("podman");
        await using var machine = await RuntimeMachine.StartAsync();
        await machine.OutsideAsync(Image);
        await ConfigureAsync(machine);
        await machine.StartAgentAsync();
        await machine.InsideAsync("podman", "import", "--quiet", machine.PathOf("root.tar"), "localhost/busybox:1");
        var before = await machine.InsideAsync("sh", "-c", Network);

        await RunAsync(machine, "web", ["-p", "8080:80", "-p", "9000-9002:80-82/udp"], "httpd", "-f", "-h", "/www");
        await RunAsync(machine, "other", [], "sleep", "1000000");

        var web = await NetworkOfAsync(machine, "web");
        var address = web.GetProperty("IPAddress").GetString()!;
        Assert.Matches(@"^10\.244\.1\.\d+$", address);
        Assert.NotEqual(address, (await NetworkOfAsync(machine, "other")).GetProperty("IPAddress").GetString());
        var link = await machine.InsideAsync("podman", "exec", "other", "ip", "route");
        Assert.Contains($"default via {web.GetProperty("Gateway").GetString()} dev eth0", link, StringComparison.Ordinal);
        await RuntimeMachine.WaitAsync(async () => (await machine.TryInsideAsync(null, "podman", "exec", "other", "wget", "-qO", "-", $"http://{address}/")).Output == "hello\n");
        await machine.InsideAsync("podman", "exec", "web", "ping", "-c", "1", "-w", "30", (await NetworkOfAsync(machine, "other")).GetProperty("IPAddress").GetString()!);
        foreach (var door in (string[])[RuntimeMachine.Address, "127.0.0.1"])
        {
            Assert.Equal("hello\n", await machine.InsideAsync("curl", "-s", "-m", "20", $"http://{door}:8080/"));
        }
        var ports = await machine.InsideAsync("nft", "list", "map", "ip", "plumb", "hostports");
        Assert.All((string[])["9000", "9001", "9002"], port => Assert.Contains($"udp . {port}", ports, StringComparison.Ordinal));
        var taken = await machine.TryInsideAsync(null, [.. Run(machine, "third", ["-p", "8080:80"]), "sleep", "1000000"]);
        Assert.NotEqual(0, taken.ExitCode);
        Assert.Contains("8080", taken.Error, StringComparison.Ordinal);

        // A container that stops gives its address back, and has one again when it starts.
        await machine.InsideAsync("podman", "stop", "--time", "0", "web");
        Assert.Single(Directory.EnumerateFiles(machine.PathOf("state/leases")));
        await machine.InsideAsync("podman", "start", "web");
        await RuntimeMachine.WaitAsync(async () => (await machine.TryInsideAsync(null, "curl", "-s", "-m", "20", $"http://{RuntimeMachine.Address}:8080/")).Output == "hello\n");

        await machine.InsideAsync("podman", "rm", "--force", "--all", "--time", "0");
        Assert.Equal(before, await machine.InsideAsync("sh", "-c", Network));
        Assert.Empty(Directory.EnumerateFiles(machine.PathOf("state/leases")));
        Assert.Equal("", await machine.InsideAsync("ls", "/run/netns"));
    }

    private static async Task ConfigureAsync(RuntimeMachine machine)
    {
        await File.WriteAllTextAsync(
            machine.PathOf("containers.conf"),
            $"""
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
            apparmor_profile = "unconfined"
            [engine]
            runtime = "runc"
            events_logger = "file"
            cgroup_manager = "cgroupfs"
            [network]
            network_backend = "cni"
            default_network = "plumb"
            cni_plugin_dirs = ["{machine.PathOf("bin")}"]
            network_config_dir = "{machine.PathOf("net.d")}"
            """,
            Cancel);
        await File.WriteAllTextAsync(
            machine.PathOf("storage.conf"),
            $"""
            [storage]
            driver = "vfs"
            runroot = "/run/containers/storage"
            graphroot = "{machine.PathOf("images")}"
            """,
            Cancel);
        machine.Set("CONTAINERS_CONF", machine.PathOf("containers.conf"));
        machine.Set("CONTAINERS_STORAGE_CONF", machine.PathOf("storage.conf"));
    }

    private static string[] Run(RuntimeMachine machine, string name, string[] options) =>
        ["podman", "run", "--detach", "--name", name, "--network", "plumb", "--cgroup-parent", machine.Cgroup, .. options, "localhost/busybox:1"];

    private static Task<string> RunAsync(RuntimeMachine machine, string name, string[] options, params string[] command) =>
        machine.InsideAsync([.. Run(machine, name, options), .. command]);

    private static async Task<JsonElement> NetworkOfAsync(RuntimeMachine machine, string container) =>
        JsonElement.Parse(await machine.InsideAsync("podman", "inspect", container))[0].GetProperty("NetworkSettings").GetProperty("Networks").GetProperty("plumb");
}
