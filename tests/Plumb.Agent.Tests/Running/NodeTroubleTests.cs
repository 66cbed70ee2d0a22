using Plumb.Linux.Addresses;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Tests.Running;

/// <summary>A node that cannot wire pods says why, to runtimes and to people, and is not called Ready.</summary>
public sealed class NodeTroubleTests : IDisposable
{
    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    public static TheoryData<string, string> Faults => new()
    {
        { "no range", "Node node-1 has no spec.podCIDR: give it one" },
        { "a range twice", "pod range 10.244.1.0/24 overlaps that of node node-0 (10.244.1.0/24), which is older: give node-1 another spec.podCIDR" },
        { "a stranger's range", "pod range 172.20.1.0/24 is not inside the cluster's 10.244.0.0/16" },
        { "an address of no device", "no device of node-1 has the address that its Node object says, 192.168.9.9" },
        { "no Node", "there is no Node node-1" },
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task What_is_wrong_with_its_Node_object_is_said(string fault, string line)
    {
        var self = TestNode.Node(1, _node.PodRange);
        await using var agent = await _node.StartAsync(change: options => options with
        {
            Nodes = fault switch
            {
                "no range" => [self with { PodRanges = [] }],
                "a range twice" => [self, self with { Name = "node-0", Addresses = [IpAddress.V4(192, 168, 1, 10)] }],
                "a stranger's range" => [self with { PodRanges = [IpPrefix.Parse("172.20.1.0/24")] }],
                "an address of no device" => [self with { Addresses = [IpAddress.V4(192, 168, 9, 9)] }],
                _ => [TestNode.Node(2, "10.244.2.0/24")],
            },
        });

        Assert.Contains(line, await _node.Log.LineAsync("wires no pods"), StringComparison.Ordinal);
        var (succeeded, body) = await _node.CniAsync("STATUS", "");
        Assert.False(succeeded);
        Assert.Equal(50, (int)body!["code"]!);
        Assert.Contains(line, (string)body["msg"]!, StringComparison.Ordinal);
        Assert.False(File.Exists(_node.Configuration));
        Assert.False(agent.Ready.IsCompleted);
    }

    [Fact]
    public async Task Another_networks_configuration_that_runtimes_take_first_is_named_and_left()
    {
        var other = Path.Combine(Path.GetDirectoryName(_node.Configuration)!, "05-other.conflist");
        Directory.CreateDirectory(Path.GetDirectoryName(other)!);
        await File.WriteAllTextAsync(other, "{}", TestContext.Current.CancellationToken);

        await using var agent = await _node.StartAsync();

        Assert.Contains($"{other} sorts before 10-plumb.conflist", await _node.Log.LineAsync("sorts before"), StringComparison.Ordinal);
        Assert.Equal("{}", await File.ReadAllTextAsync(other, TestContext.Current.CancellationToken));
    }
}
