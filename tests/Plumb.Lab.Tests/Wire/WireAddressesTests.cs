using Plumb.Lab.Wire;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Tests.Wire;

public sealed class WireAddressesTests
{
    [Fact]
    public void The_first_node_is_11_and_the_client_outside_is_100()
    {
        var addresses = new WireAddresses(new LabOptions { Nodes = 50 });
        Assert.Equal("192.168.1.1/24", addresses.Wire.ToString());
        Assert.Equal("192.168.1.11/24", addresses.Node(1).ToString());
        Assert.Equal("192.168.1.60/24", addresses.Node(50).ToString());
        Assert.Equal("192.168.1.100/24", addresses.Outside.ToString());
    }

    [Theory]
    [InlineData("10.244.0.0/16", "10.244.128.0/17", "192.168.1.0/24", "10.244.0.0/16", "10.244.128.0/17")]
    [InlineData("192.168.0.0/16", "10.96.0.0/12", "192.168.1.0/24", "192.168.1.0/24", "192.168.0.0/16")]
    [InlineData("10.244.0.0/16", "192.168.1.0/28", "192.168.1.0/24", "192.168.1.0/24", "192.168.1.0/28")]
    public void Ranges_that_overlap_are_refused_and_both_are_named(string pods, string services, string nodes, string first, string second)
    {
        var options = new LabOptions { PodRange = IpPrefix.Parse(pods), ServiceRange = IpPrefix.Parse(services), NodeRange = IpPrefix.Parse(nodes) };
        var refused = Assert.Throws<LabException>(() => new WireAddresses(options));
        Assert.Contains(first, refused.Message, StringComparison.Ordinal);
        Assert.Contains(second, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(51)]
    [InlineData(-1)]
    public void Fewer_than_1_and_more_than_50_nodes_are_refused(int nodes)
    {
        var refused = Assert.Throws<LabException>(() => new WireAddresses(new LabOptions { Nodes = nodes }));
        Assert.Contains($"--nodes {nodes}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "10.1.0.0/22", true)]
    [InlineData(4, "10.1.0.0/22", false)]
    [InlineData(50, "10.1.0.0/18", true)]
    [InlineData(50, "10.1.0.0/19", false)]
    public void Every_node_needs_its_own_24_of_the_pods_range(int nodes, string pods, bool fits)
    {
        var options = new LabOptions { Nodes = nodes, PodRange = IpPrefix.Parse(pods) };
        if (fits)
        {
            Assert.Equal(nodes, new WireAddresses(options).NodeCount);
        }
        else
        {
            Assert.Contains(pods, Assert.Throws<LabException>(() => new WireAddresses(options)).Message, StringComparison.Ordinal);
        }
    }
}
