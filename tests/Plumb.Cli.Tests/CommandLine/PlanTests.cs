using System.Text.Json.Nodes;
using Plumb.CommandLine;

namespace Plumb.Cli.Tests.CommandLine;

public sealed class PlanTests
{
    private static readonly string FirstPacket = Checkout.PathOf("labs", "first-packet");

    [Fact]
    public async Task A_plan_names_each_entry_with_the_object_that_causes_it()
    {
        var plan = await Said.By("plan", "-f", FirstPacket, "--node", "node-1");

        Assert.Equal("", plan.Error);
        Assert.Equal(ExitCode.Done, plan.ExitCode);
        Assert.Contains(plan.Output.Split('\n'), static line => line.Contains("link cni0 type bridge", StringComparison.Ordinal));
        Assert.Contains(plan.Output.Split('\n'), static line => line.Contains("10.244.2.0/24", StringComparison.Ordinal) && line.Contains("Node node-2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_deployments_pods_are_spread_over_the_nodes_of_a_lab()
    {
        var subjects = new HashSet<string>();
        foreach (var node in (string[])["node-1", "node-2", "node-3"])
        {
            var plan = await Said.By("plan", "-f", FirstPacket, "--node", node, "-o", "json");
            foreach (var entry in JsonNode.Parse(plan.Output)!["entries"]!.AsArray())
            {
                if ((string?)entry!["kind"] is "link" or "Link" && ((string?)entry["text"])!.Contains("eth0", StringComparison.Ordinal) && !((string?)entry["text"])!.Contains("vxlan", StringComparison.Ordinal))
                {
                    subjects.Add(entry["causes"]?.ToJsonString() ?? entry["origins"]!.ToJsonString());
                }
            }
        }
        Assert.Equal(4, subjects.Count);
    }

    [Theory]
    [InlineData("iptables", true)]
    [InlineData("nftables", false)]
    public async Task What_nft_loads_says_where_the_Services_are_if_not_there(string services, bool says)
    {
        var plan = await Said.By("plan", "-f", Checkout.PathOf("labs", "services"), "--services", services, "-o", "nft");
        Assert.Equal(says, plan.Output.StartsWith("# Services are in chains of iptables", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_refused_by_name()
    {
        var plan = await Said.By("plan", "-f", FirstPacket, "--node", "node-9");

        Assert.Equal("plumb plan: there is no Node node-9 among the objects: they hold node-1, node-2, node-3\n", plan.Error);
        Assert.Equal(ExitCode.Failed, plan.ExitCode);
    }

    [Fact]
    public async Task Broken_yaml_is_told_with_file_and_line()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x\n");

        var plan = await Said.By("plan", "-f", file);

        Assert.StartsWith($"plumb plan: {file}:", plan.Error);
        Assert.Equal(1, plan.Error.Count(static c => c == '\n'));
        Assert.Equal(ExitCode.Failed, plan.ExitCode);
    }
}
