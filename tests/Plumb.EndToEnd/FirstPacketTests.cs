using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plumb.EndToEnd;

/// <summary>The lab of <c>labs/first-packet</c>, started once for all tests of the class.</summary>
public sealed class FirstPacketLab : IAsyncLifetime
{
    public LabUser User { get; } = new();

    public RunningLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Lab = await User.UpAsync("-f", Path.Combine(Commands.Repository, "labs", "first-packet"));

    public ValueTask DisposeAsync() => User.DisposeAsync();
}

/// <summary>What the README promises of the first two commands, as a person would try it with kubectl.</summary>
public sealed partial class FirstPacketTests(FirstPacketLab fixture) : IClassFixture<FirstPacketLab>
{
    private RunningLab Lab => fixture.Lab;

    [Fact]
    public async Task Three_nodes_are_ready_at_their_addresses()
    {
        var nodes = (await Lab.KubectlAsync("get", "nodes", "-o", "wide", "--no-headers")).Succeeds().Lines;
        Assert.Equal(3, nodes.Count);
        for (var i = 0; i < nodes.Count; i++)
        {
            var cells = Spaces().Split(nodes[i]);
            Assert.Equal([$"node-{i + 1}", "Ready"], cells[..2]);
            Assert.Equal($"192.168.1.{11 + i}", cells[5]);
        }
    }

    [Fact]
    public async Task Nodes_tell_the_kernel_that_they_really_run_on()
    {
        var kernel = (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease", TestContext.Current.CancellationToken)).Trim();
        Assert.Equal(kernel, await Lab.GetAsync("node", "node-2", "-o", "jsonpath={.status.nodeInfo.kernelVersion}"));
    }

    [Fact]
    public async Task Pods_run_spread_over_the_nodes_with_an_address_of_their_node_s_range()
    {
        var pods = await PodsAsync();
        Assert.True(pods.Count >= 4);
        Assert.All(pods, static pod => Assert.Equal("Running", pod.Phase));
        Assert.All(pods, static pod => Assert.Equal($"10.244.{pod.Node["node-".Length..]}", pod.Address[..pod.Address.LastIndexOf('.')]));
        Assert.True(pods.Select(static pod => pod.Node).Distinct().Count() >= 2);
        Assert.Equal(pods.Count, pods.Select(static pod => pod.Address).Distinct().Count());
    }

    [Fact]
    public async Task A_server_on_another_node_sees_the_client_s_own_address()
    {
        var pods = await PodsAsync();
        var client = pods.Single(static pod => pod.Name == "client");
        var servers = pods.Where(pod => pod.Name.StartsWith("website-", StringComparison.Ordinal)).ToList();
        Assert.Contains(servers, server => server.Node != client.Node);
        foreach (var server in servers)
        {
            var answer = (await Lab.KubectlAsync("exec", "client", "--", "curl", "-s", "-m", "5", $"http://{server.Address}:80/clientip")).Succeeds();
            Assert.StartsWith(client.Address, answer.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_deployment_scales_to_30_and_its_rollout_completes()
    {
        var create = await Lab.KubectlAsync("create", "deployment", "scaled", "--image=httpd", "--replicas=2");
        create.Succeeds();
        (await Lab.KubectlAsync("scale", "deployment", "scaled", "--replicas=30")).Succeeds();
        (await Lab.KubectlAsync("rollout", "status", "deployment", "scaled", "--timeout=60s")).Succeeds();
        Assert.Equal("30", await Lab.GetAsync("deployment", "scaled", "-o", "jsonpath={.status.readyReplicas}"));
        (await Lab.KubectlAsync("delete", "deployment", "scaled")).Succeeds();
        (await Lab.KubectlAsync("wait", "--for=delete", "pod", "-l", "app=scaled", "--timeout=60s")).Succeeds();
    }

    [Fact]
    public async Task Logs_show_what_the_website_was_asked()
    {
        var server = (await PodsAsync()).First(static pod => pod.Name.StartsWith("website-", StringComparison.Ordinal));
        (await Lab.KubectlAsync("exec", "client", "--", "curl", "-s", $"http://{server.Address}/from-the-log-test")).Succeeds();
        Assert.Contains("/from-the-log-test", (await Lab.KubectlAsync("logs", server.Name)).Succeeds().Output, StringComparison.Ordinal);
        (await Lab.KubectlAsync("logs", "deploy/website")).Succeeds();
    }

    [Fact]
    public async Task Describe_tells_a_pod_s_story_in_events()
    {
        await Lab.EventAsync("Started", "client");
        var told = (await Lab.KubectlAsync("describe", "pod", "client")).Succeeds().Output;
        Assert.Matches(@"Scheduled\s", told);
        Assert.Matches(@"ImageSubstituted\s", told);
        Assert.Contains("Started container client", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pod_that_is_deleted_goes_and_its_deployment_makes_another()
    {
        (await Lab.KubectlAsync("create", "deployment", "again", "--image=nginx")).Succeeds();
        (await Lab.KubectlAsync("rollout", "status", "deployment", "again", "--timeout=30s")).Succeeds();
        var first = await Lab.GetAsync("pods", "-l", "app=again", "-o", "jsonpath={.items[0].metadata.name}");
        (await Lab.KubectlAsync("delete", "pod", first, "--timeout=30s")).Succeeds();
        (await Lab.KubectlAsync("rollout", "status", "deployment", "again", "--timeout=30s")).Succeeds();
        Assert.DoesNotContain(first, await Lab.GetAsync("pods", "-l", "app=again", "-o", "name"), StringComparison.Ordinal);
        (await Lab.KubectlAsync("delete", "deployment", "again")).Succeeds();
    }

    [Fact]
    public async Task A_node_s_links_are_a_bridge_its_ports_and_a_tunnel()
    {
        var client = (await PodsAsync()).Single(static pod => pod.Name == "client");
        var text = (await Lab.ShellAsync(client.Node, "ip", "-j", "-d", "link")).Succeeds().Output;
        var links = JsonElement.Parse(text).EnumerateArray().ToList();
        Assert.Contains(links, static link => Kind(link) == "bridge" && link.GetProperty("ifname").GetString() == "cni0");
        Assert.Contains(links, static link => Kind(link) == "vxlan");
        var port = Assert.Single(links, link => Kind(link) == "veth" && link.TryGetProperty("master", out var master) && master.GetString() == "cni0"
            && link.GetProperty("ifname").GetString()!.StartsWith("veth", StringComparison.Ordinal) && PortOf(links, client) == link.GetProperty("ifname").GetString());
        Assert.Equal("UP", port.GetProperty("operstate").GetString());
    }

    [Theory]
    [InlineData("node-1")]
    [InlineData("node-2")]
    [InlineData("node-3")]
    public async Task Nothing_on_a_node_is_unexplained(string node)
    {
        var explained = (await Lab.PlumbAsync("explain", "--all", "--node", node)).Succeeds();
        Assert.Equal("0 unexplained", explained.Lines[^1]);
        // The node's own namespace, and each of its pods'.
        var pods = (await PodsAsync()).Where(pod => pod.Node == node);
        Assert.Contains($"# {node}", explained.Lines);
        Assert.All(pods, pod =>
        {
            var place = Assert.Single(explained.Lines, line => line.StartsWith($"# default/{pod.Name}@", StringComparison.Ordinal) && line.EndsWith($" on {node}", StringComparison.Ordinal));
            Assert.StartsWith("link eth0 type veth peer veth", explained.Lines[explained.Lines.ToList().IndexOf(place) + 1], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_route_deleted_by_hand_comes_back_and_an_event_says_what_was_missing()
    {
        (await Lab.ShellAsync("node-3", "ip", "route", "del", "10.244.2.0/24")).Succeeds();
        var told = await Lab.EventAsync("NetworkRepaired", "node-3");
        Assert.Contains("10.244.2.0/24", told, StringComparison.Ordinal);
        Assert.Contains("10.244.2.0/24", (await Lab.ShellAsync("node-3", "ip", "route")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_machine_outside_reaches_nodes_and_is_none()
    {
        (await Lab.ShellAsync("outside", "ping", "-c", "1", "-w", "5", "192.168.1.12")).Succeeds();
        Assert.Contains("192.168.1.100/24", (await Lab.ShellAsync("outside", "ip", "-br", "addr", "show", "eth0")).Succeeds().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("outside", await Lab.GetAsync("nodes", "-o", "name"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watching_kubectl_sees_a_pod_come_and_go()
    {
        (await Lab.KubectlAsync("run", "before", "--image=httpd", "--labels=seen=yes")).Succeeds();
        (await Lab.KubectlAsync("wait", "--for=condition=Ready", "pod/before", "--timeout=60s")).Succeeds();
        using var watch = Commands.Start(
            new Dictionary<string, string?> { ["KUBECONFIG"] = Lab.Kubeconfig }, "kubectl", "get", "pods", "-w", "--no-headers", "--selector=seen=yes");
        try
        {
            // From here on it tells all that happens.
            Assert.StartsWith("before ", await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            (await Lab.KubectlAsync("run", "watched", "--image=httpd", "--labels=seen=yes")).Succeeds();
            var seen = new List<string>();
            await ReadUntilAsync("Running");
            Assert.Contains("Pending", seen);
            var delete = Lab.KubectlAsync("delete", "pod", "watched", "--grace-period=1");
            await ReadUntilAsync("Terminating");
            (await delete).Succeeds();

            async Task ReadUntilAsync(string status)
            {
                while (!seen.Contains(status))
                {
                    var line = await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
                    Assert.NotNull(line);
                    var cells = Spaces().Split(line);
                    Assert.Equal("watched", cells[0]);
                    seen.Add(cells[2]);
                }
            }
        }
        finally
        {
            watch.Kill();
            (await Lab.KubectlAsync("delete", "pod", "before", "--grace-period=1")).Succeeds();
        }
    }

    [Fact]
    public async Task A_pod_with_the_node_s_network_has_the_node_s_address()
    {
        const string manifest =
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: at-home}
            spec:
              hostNetwork: true
              nodeName: node-2
              containers:
              - {name: main, image: busybox, command: [sleep, infinity]}
            """;
        (await Lab.KubectlWithInputAsync(manifest, "apply", "-f", "-")).Succeeds();
        (await Lab.KubectlAsync("wait", "--for=condition=Ready", "pod/at-home", "--timeout=30s")).Succeeds();
        Assert.Equal("192.168.1.12", await Lab.GetAsync("pod", "at-home", "-o", "jsonpath={.status.podIP}"));
        Assert.Contains("cni0", (await Lab.KubectlAsync("exec", "at-home", "--", "ip", "-br", "link")).Succeeds().Output, StringComparison.Ordinal);
        (await Lab.KubectlAsync("delete", "pod", "at-home", "--grace-period=1")).Succeeds();
    }

    [Fact]
    public async Task A_command_in_a_pod_sees_the_pod_s_own_name_and_files()
    {
        var client = (await PodsAsync()).Single(static pod => pod.Name == "client");
        Assert.Equal("client", (await Lab.KubectlAsync("exec", "client", "--", "hostname")).Succeeds().Output.Trim());
        Assert.Contains($"{client.Address}\tclient", (await Lab.KubectlAsync("exec", "client", "--", "cat", "/etc/hosts")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains(
            "search default.svc.cluster.local",
            (await Lab.KubectlAsync("exec", "client", "--", "cat", "/etc/resolv.conf")).Succeeds().Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_of_a_pod_can_be_forwarded()
    {
        var server = (await PodsAsync()).First(static pod => pod.Name.StartsWith("website-", StringComparison.Ordinal));
        using var forward = Commands.Start(
            new Dictionary<string, string?> { ["KUBECONFIG"] = Lab.Kubeconfig }, "kubectl", "port-forward", $"pod/{server.Name}", ":80");
        try
        {
            var line = await forward.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            var port = int.Parse(Regex.Match(line ?? "", @"127\.0\.0\.1:(\d+)").Groups[1].Value);
            using var http = new HttpClient();
            Assert.Contains(
                server.Name, await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/hostname"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        finally
        {
            forward.Kill();
        }
    }

    private static string? Kind(JsonElement link) =>
        link.TryGetProperty("linkinfo", out var info) && info.TryGetProperty("info_kind", out var kind) ? kind.GetString() : null;

    // The port's alias names the pod.
    private static string? PortOf(List<JsonElement> links, PodLine pod) =>
        links.Where(link => link.TryGetProperty("ifalias", out var alias) && alias.GetString()!.Contains($"default/{pod.Name}", StringComparison.Ordinal))
            .Select(static link => link.GetProperty("ifname").GetString())
            .FirstOrDefault();

    private async Task<List<PodLine>> PodsAsync()
    {
        var pods = await Lab.JsonAsync("pods", "-l", "app in (client, website)");
        return
        [
            .. pods.GetProperty("items").EnumerateArray().Select(static pod => new PodLine(
                pod.GetProperty("metadata").GetProperty("name").GetString()!,
                pod.GetProperty("spec").GetProperty("nodeName").GetString()!,
                pod.GetProperty("status").GetProperty("podIP").GetString()!,
                pod.GetProperty("status").GetProperty("phase").GetString()!)),
        ];
    }

    private sealed record PodLine(string Name, string Node, string Address, string Phase);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
