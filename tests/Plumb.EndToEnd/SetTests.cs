using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>`plumb set`: a lab goes over to another way of serving Services, agents that are processes included.</summary>
public sealed class SetTests
{
    private const string Manifests = Pods.Client +
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}}
        spec: {nodeName: node-2, containers: [{name: main, image: httpd, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {clusterIP: 10.96.14.7, selector: {app: web}, ports: [{name: http, port: 80}]}
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_node_has_the_one_program_or_the_other_and_never_none(bool agentProcesses)
    {
        await using var user = new LabUser();
        string[] more = agentProcesses ? ["--agent-processes"] : [];
        var lab = await user.UpWithAsync(Manifests, [.. more, "--nodes", "2"]);
        await AnswersAsync(lab);
        foreach (var services in new[] { "iptables", "nftables", "none", "iptables" })
        {
            Assert.Contains($"Services by {services} on 2 nodes", (await user.PlumbAsync("set", "--services", services)).Succeeds().Output, StringComparison.Ordinal);
            foreach (var node in new[] { "node-1", "node-2" })
            {
                Assert.Equal(services == "iptables", (await lab.ShellAsync(node, "iptables-save")).Succeeds().Output.Contains("KUBE-SERVICES", StringComparison.Ordinal));
                Assert.Equal(services == "nftables", (await lab.ShellAsync(node, "nft", "list", "table", "ip", "plumb")).Succeeds().Output.Contains("map frontends", StringComparison.Ordinal));
            }
            if (services != "none")
            {
                await AnswersAsync(lab);
            }
            Assert.EndsWith("0 unexplained", (await lab.PlumbAsync("explain", "--all")).Succeeds().Output.TrimEnd(), StringComparison.Ordinal);
        }
        Assert.Equal("iptables", JsonElement.Parse((await user.PlumbAsync("status", "-o", "json")).Succeeds().Output).GetProperty("labs")[0].GetProperty("services").GetString());
    }

    [Theory]
    [InlineData]
    [InlineData("--agent-processes")]
    public async Task What_is_left_of_the_way_before_is_told(params string[] how)
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests, [.. how, "--nodes", "2", "--services", "iptables"]);
        // A rule of somebody's own that leads to a chain of Services: the chain cannot go.
        (await lab.ShellAsync("node-2", "iptables", "-t", "nat", "-A", "PREROUTING", "-s", "192.0.2.1", "-j", "KUBE-NODEPORTS")).Succeeds();
        var said = (await user.PlumbAsync("set", "--services", "nftables")).Succeeds().Lines;
        Assert.Equal(2, said.Count);
        Assert.Matches("^left of the way before, on node-2: .*KUBE-NODEPORTS: .", said[1]);
        // Nothing was left to be told of where all could go.
        Assert.Single((await user.PlumbAsync("set", "--services", "nftables")).Succeeds().Lines);
    }

    [Fact]
    public async Task What_cannot_be_set_is_one_line()
    {
        await using var user = new LabUser();
        Assert.Contains("what shall be set? --services KIND", (await user.PlumbAsync("set")).Error, StringComparison.Ordinal);
        Assert.Contains("no lab named 'default' is running", (await user.PlumbAsync("set", "--services", "iptables")).Error, StringComparison.Ordinal);
    }

    private static async Task AnswersAsync(RunningLab lab)
    {
        for (var left = 100; ; left--)
        {
            var answer = await lab.ShellAsync("client", "curl", "-s", "--max-time", "5", "http://10.96.14.7/hostname");
            if (answer.Output.Trim() == "web")
            {
                return;
            }
            Assert.True(left > 0, $"10.96.14.7 does not answer: {answer}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
