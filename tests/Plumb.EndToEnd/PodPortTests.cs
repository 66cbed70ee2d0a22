namespace Plumb.EndToEnd;

/// <summary>Ports of a node that lead to a pod (<c>hostPort</c>).</summary>
public sealed class PodPortTests : IAsyncDisposable
{
    private readonly LabUser _user = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Theory]
    [InlineData("nftables", "ipv4")]
    [InlineData("nftables", "dual")]
    [InlineData("iptables", "ipv4")]
    public async Task A_host_port_is_open_to_the_node_itself_other_nodes_outside_and_the_pod(string services, string families)
    {
        var lab = await _user.UpWithAsync(Web("web"), "--nodes", "2", "--services", services, "--ip-family", families, "--dns-upstream", "none");
        foreach (var from in new[] { "node-2", "node-1", "outside", "web" })
        {
            Assert.Equal("web", await AskAsync(lab, from, "192.168.1.12"));
        }
        Assert.Equal("web", await AskAsync(lab, "node-2", "127.0.0.1"));
        if (families == "dual")
        {
            Assert.Equal("web", await AskAsync(lab, "outside", "[fd00:192:168:1::12]"));
            Assert.Equal("web", await AskAsync(lab, "web", "[fd00:192:168:1::12]"));
        }
        // Who asks from elsewhere is seen as he is.
        Assert.StartsWith("192.168.1.100:", (await CurlAsync(lab, "outside", "http://192.168.1.12:8080/clientip")).Succeeds().Output, StringComparison.Ordinal);
        // The other node has no such port; nor is one open at another address than it says.
        Assert.NotEqual(0, (await CurlAsync(lab, "outside", "http://192.168.1.11:8080/")).ExitCode);
        Assert.Equal("web", (await CurlAsync(lab, "outside", "http://192.168.1.12:8082/hostname")).Succeeds().Output);
        Assert.NotEqual(0, (await CurlAsync(lab, "node-2", "http://127.0.0.1:8082/")).ExitCode);
        // What listens on the node's own 127.0.0.1 is not the pods' for that.
        Assert.Equal("1", (await lab.ShellAsync("node-2", "cat", "/proc/sys/net/ipv4/conf/cni0/route_localnet")).Succeeds().Output.Trim());
        Assert.Contains("chain guard-loopback", (await lab.ShellAsync("node-2", "nft", "list", "table", "ip", "plumb")).Succeeds().Output, StringComparison.Ordinal);

        var explained = (await lab.PlumbAsync("explain", "pod/web")).Succeeds().Output;
        Assert.Contains("spec.containers.ports.hostPort", explained, StringComparison.Ordinal);
        var trace = (await lab.PlumbAsync("trace", "outside", "http://192.168.1.12:8080")).Succeeds().Output;
        Assert.Contains("Pod default/web spec.containers.ports.hostPort", trace, StringComparison.Ordinal);
        Assert.Contains("delivered", trace, StringComparison.Ordinal);

        (await lab.KubectlAsync("delete", "pod", "web", "--timeout=60s")).Succeeds();
        Assert.DoesNotContain("hostport", (await lab.ShellAsync("node-2", "nft", "list", "ruleset")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Equal("0", (await lab.ShellAsync("node-2", "cat", "/proc/sys/net/ipv4/conf/cni0/route_localnet")).Succeeds().Output.Trim());
    }

    [Fact]
    public async Task Datagrams_of_one_sender_reach_the_next_holder_of_the_port()
    {
        var lab = await _user.UpWithAsync(Web("first"), "--nodes", "2", "--dns-upstream", "none");
        // One socket all the time: the kernel remembers where its datagrams went.
        const string ask = "exec 3<>/dev/udp/192.168.1.12/8081; for try in $(seq 300); do echo hostname >&3; timeout 1 dd bs=200 count=1 <&3 2>/dev/null | grep -q \"^$0\" && { touch \"$1\"; break; }; sleep 0.1; done; "
            + "for try in $(seq 300); do echo hostname >&3; timeout 1 dd bs=200 count=1 <&3 2>/dev/null | grep -q '^second' && exit 0; sleep 0.1; done; exit 1";
        var reached = Path.Combine(_user.RuntimeDirectory, "reached");
        var asking = lab.ShellAsync("outside", "bash", "-c", ask, "first", reached);
        while (!File.Exists(reached))
        {
            Assert.False(asking.IsCompleted, asking.IsCompleted ? (await asking).Error : "");
            await Task.Delay(50, Cancel);
        }
        (await lab.KubectlAsync("delete", "pod", "first", "--timeout=60s")).Succeeds();
        (await lab.KubectlWithInputAsync(Web("second"), "apply", "-f", "-")).Succeeds();
        Assert.Equal(0, (await asking).ExitCode);
    }

    private static string Web(string name) =>
        $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          nodeName: node-2
          terminationGracePeriodSeconds: 1
          containers:
            - name: main
              image: agnhost
              args: [netexec]
              ports:
                - {containerPort: 8080, hostPort: 8080}
                - {containerPort: 8081, hostPort: 8081, protocol: UDP}
                - {containerPort: 8080, hostPort: 8082, hostIP: 192.168.1.12}
        """;

    private static async Task<string> AskAsync(RunningLab lab, string from, string address) => (await CurlAsync(lab, from, $"http://{address}:8080/hostname")).Succeeds().Output;

    private static Task<CommandResult> CurlAsync(RunningLab lab, string from, string url) => lab.ShellAsync(from, "curl", "-s", "-m", "5", "--noproxy", "*", url);
}
