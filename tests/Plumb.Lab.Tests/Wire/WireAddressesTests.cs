using Plumb.Lab.Wire;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Tests.Wire;

public sealed class WireAddressesTests
{
    [Fact]
    public void The_first_node_is_11_and_the_client_outside_is_100()
    {
        var addresses = new WireAddresses(new LabOptions { Nodes = 50 });
        Assert.Equal("[192.168.1.1/24]", addresses.Wire.ToString());
        Assert.Equal("[192.168.1.11/24]", addresses.Node(1).ToString());
        Assert.Equal("[192.168.1.60/24]", addresses.Node(50).ToString());
        Assert.Equal("[192.168.1.100/24]", addresses.Outside.ToString());
    }

    [Fact]
    public void An_IPv6_address_ends_in_the_digits_of_its_machine_s_IPv4_address()
    {
        var addresses = new WireAddresses(Of(IpFamilies.Dual) with { Nodes = 50 });
        Assert.Equal("[192.168.1.1/24, fd00:192:168:1::1/64]", addresses.Wire.ToString());
        Assert.Equal("[192.168.1.11/24, fd00:192:168:1::11/64]", addresses.Node(1).ToString());
        Assert.Equal("[192.168.1.60/24, fd00:192:168:1::60/64]", addresses.Node(50).ToString());
        Assert.Equal("[192.168.1.100/24, fd00:192:168:1::100/64]", addresses.Outside.ToString());
        Assert.Equal("[10.244.50.0/24, fd00:10:244:32::/64]", addresses.PodRanges(50).ToString());
        Assert.Equal("[10.96.0.10, fd00:10:96::a]", addresses.DnsServers.ToString());
    }

    [Fact]
    public void A_cluster_of_IPv6_has_no_other_address() =>
        Assert.Equal("[fd00:192:168:1::11/64]", new WireAddresses(Of(IpFamilies.IPv6)).Node(1).ToString());

    [Theory]
    [InlineData(IpFamilies.IPv4, "fd00:1::/48", "--pod-cidr fd00:1::/48: the cluster has IPv4 addresses only; say --ip-family dual for both, or ipv6")]
    [InlineData(IpFamilies.IPv6, "10.1.0.0/16", "--pod-cidr 10.1.0.0/16: the cluster has IPv6 addresses only; say --ip-family dual for both, or ipv4")]
    public void A_range_of_a_family_that_the_cluster_has_not_is_refused(IpFamilies families, string pods, string says) =>
        Assert.Equal(says, Assert.Throws<LabException>(() => DefaultRanges.Pods.Of(families, [IpPrefix.Parse(pods)])).Message);

    [Fact]
    public void A_range_that_is_chosen_leaves_the_other_family_s_as_it_is() =>
        Assert.Equal("[10.1.0.0/16, fd00:10:244::/56]", DefaultRanges.Pods.Of(IpFamilies.Dual, [IpPrefix.Parse("10.1.0.0/16")]).ToString());

    [Theory]
    [InlineData("fd00:192:168:1::/120", "fd00:10:244::/56", "fd00:10:96::/112", "the nodes' IPv6 range has to be a /116 or larger")]
    [InlineData("fd00:192:168:1::/64", "fd00:10:244::/62", "fd00:10:96::/112", null)]
    [InlineData("fd00:192:168:1::/64", "fd00:10:244::/63", "fd00:10:96::/112", "the pods' IPv6 range has to be a /62 or larger")]
    [InlineData("fd00:192:168:1::/64", "fd00:10:244::/56", "fd00:10:96::/126", "the services' IPv6 range has to be a /124 or larger")]
    [InlineData("fd00:192:168:1::/64", "fd00:10:244::/56", "fd00:10:244:8::/112", "overlaps")]
    public void An_IPv6_range_that_is_too_small_is_refused(string nodes, string pods, string services, string? says)
    {
        var options = new LabOptions { Nodes = 3, NodeRanges = [IpPrefix.Parse(nodes)], PodRanges = [IpPrefix.Parse(pods)], ServiceRanges = [IpPrefix.Parse(services)] };
        if (says is null)
        {
            Assert.Equal(3, new WireAddresses(options).NodeCount);
        }
        else
        {
            Assert.Contains(says, Assert.Throws<LabException>(() => new WireAddresses(options)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("10.244.0.0/16", "10.244.128.0/17", "192.168.1.0/24", "10.244.0.0/16", "10.244.128.0/17")]
    [InlineData("192.168.0.0/16", "10.96.0.0/12", "192.168.1.0/24", "192.168.1.0/24", "192.168.0.0/16")]
    [InlineData("10.244.0.0/16", "192.168.1.0/28", "192.168.1.0/24", "192.168.1.0/24", "192.168.1.0/28")]
    public void Ranges_that_overlap_are_refused_and_both_are_named(string pods, string services, string nodes, string first, string second)
    {
        var options = new LabOptions { PodRanges = [IpPrefix.Parse(pods)], ServiceRanges = [IpPrefix.Parse(services)], NodeRanges = [IpPrefix.Parse(nodes)] };
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
        var options = new LabOptions { Nodes = nodes, PodRanges = [IpPrefix.Parse(pods)] };
        if (fits)
        {
            Assert.Equal(nodes, new WireAddresses(options).NodeCount);
        }
        else
        {
            Assert.Contains(pods, Assert.Throws<LabException>(() => new WireAddresses(options)).Message, StringComparison.Ordinal);
        }
    }

    private static LabOptions Of(IpFamilies families) => new()
    {
        NodeRanges = DefaultRanges.Nodes.Of(families),
        PodRanges = DefaultRanges.Pods.Of(families),
        ServiceRanges = DefaultRanges.Services.Of(families),
    };
}
