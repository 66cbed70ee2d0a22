using System.Globalization;
using System.Text.RegularExpressions;

namespace Plumb.EndToEnd;

/// <summary>Nodes that are cut from each other and not from the API, their agents in processes of their own.</summary>
public sealed class PartitionTests : IAsyncDisposable
{
    private const int Bytes = 200_000;

    private const string Server =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: server, labels: {app: server}}
        spec: {nodeName: node-2, containers: [{name: tcp, image: busybox, command: [iperf3, -s, -p, "5201"]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: server}
        spec: {selector: {app: server}, ports: [{port: 5201}]}
        """;

    // All that agents have written, without what counts.
    private const string Network = "nft -s list table ip plumb; ip route show table all; ip neigh show nud permanent; bridge fdb show dev plumb-vxlan";

    private static readonly string[] _nodes = ["node-1", "node-2"];

    private readonly LabUser _user = new();

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Streams_stop_and_go_on_endpoints_stay_and_nothing_is_flushed_while_nodes_are_cut_from_each_other()
    {
        var lab = await _user.UpWithAsync(Pods.Client + Server, "--nodes", "2", "--agent-processes", "--overlay", "vxlan");
        var pod = await lab.GetAsync("pod", "server", "-o", "jsonpath={.status.podIP}");
        var service = await lab.GetAsync("service", "server", "-o", "jsonpath={.spec.clusterIP}");
        (await InClientAsync(lab, $"timeout 60 bash -c 'until : >/dev/tcp/{service}/5201; do sleep 0.1; done'")).Succeeds();
        var before = await NetworkAsync(lab);
        var endpoints = await EndpointsAsync(lab);
        Assert.Contains(pod, endpoints, StringComparison.Ordinal);
        // Until it is told to end.
        var stream = InClientAsync(lab, $"iperf3 -c {service} -p 5201 -t 86400 -b 1M -l 1000");
        (await InClientAsync(lab, "timeout 60 sh -c 'until ss -Htn state established | grep -q 5201; do sleep 0.1; done'")).Succeeds();

        foreach (var (node, other) in ((string, string)[])[(_nodes[0], "192.168.1.12"), (_nodes[1], "192.168.1.11")])
        {
            (await lab.ShellAsync(node, "nft", $"table inet cut {{ chain in {{ type filter hook prerouting priority -310; ip saddr {other} counter drop; }}; }}")).Succeeds();
        }
        var lost = await InClientAsync(lab, $"ping -c 3 -i 0.5 -W 2 {pod}");
        Assert.Contains("3 packets transmitted, 0 received", lost.Output, StringComparison.Ordinal);
        var held = await AcknowledgedAsync(lab);
        Assert.NotEqual(0, held);
        var traced = await lab.PlumbAsync("trace", "client", $"{pod}:5201");
        Assert.NotEqual(0, traced.ExitCode);
        Assert.Contains("lost: a rule of inet cut in drops it: ip saddr 192.168.1.11", traced.Output, StringComparison.Ordinal);
        // Everybody still speaks to the API, and what nodes hold of one another is as good as before.
        Assert.Equal(endpoints, await EndpointsAsync(lab));
        Assert.Equal("True True", await lab.GetAsync("nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}"));
        Assert.Equal(before, await NetworkAsync(lab));

        foreach (var node in _nodes)
        {
            (await lab.ShellAsync(node, "nft", "delete", "table", "inet", "cut")).Succeeds();
        }
        // The same connection: by now it may wait for long before it tries again.
        while (await AcknowledgedAsync(lab) < held + Bytes)
        {
            Assert.False(stream.IsCompleted, "the stream did not go on");
        }
        Assert.Equal(before, await NetworkAsync(lab));
        (await InClientAsync(lab, "kill -INT $(ss -Htnp state established dport = 5201 | sed -n 's/.*\"iperf3\",pid=\\([0-9]*\\).*/\\1/p' | head -n 1)")).Succeeds();
        await stream;
    }

    private static Task<CommandResult> InClientAsync(RunningLab lab, string command) => lab.KubectlAsync("exec", "client", "--", "sh", "-c", command);

    // By the kernel's count, of the stream's connection and of the one that rules it.
    private static async Task<long> AcknowledgedAsync(RunningLab lab)
    {
        var said = (await InClientAsync(lab, "ss -Htin state established dport = 5201")).Succeeds().Output;
        return Regex.Matches(said, @"bytes_acked:(\d+)").Sum(static one => long.Parse(one.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private static Task<string> EndpointsAsync(RunningLab lab) =>
        lab.GetAsync("endpointslices", "-l", "kubernetes.io/service-name=server", "-o", "jsonpath={range .items[*].endpoints[*]}{.addresses} {.conditions.ready}{\"\\n\"}{end}");

    private static async Task<string> NetworkAsync(RunningLab lab)
    {
        var all = await Task.WhenAll(_nodes.Select(node => lab.ShellAsync(node, "sh", "-c", Network)));
        return string.Join('\n', all.Select(static one => one.Succeeds().Output));
    }
}
