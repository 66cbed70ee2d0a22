using Plumb.Lab.Wire;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Lab.Tests.Wire;

public sealed class WirePlanTests
{
    private static readonly DesiredState State = WirePlan.Of(new WireAddresses(new LabOptions { Nodes = 2 }), bridgeFilter: true);

    [Fact]
    public void Every_machine_has_a_cable_to_the_wire_and_a_way_out()
    {
        foreach (var (id, address) in (ReadOnlySpan<(NamespaceId, string)>)[(WirePlan.NodeId(1), "192.168.1.11/24"), (WirePlan.NodeId(2), "192.168.1.12/24"), (WirePlan.OutsideId, "192.168.1.100/24")])
        {
            var link = Assert.Single(Of<LinkEntry>(id), static link => link.Name == "eth0");
            Assert.Equal(new LinkType.Veth(WirePlan.WireId, id.Name), link.Type);
            Assert.Equal(address, Assert.Single(Of<AddressEntry>(id)).Address.ToString());
            Assert.Equal(new NextHop("eth0", IpAddress.Parse("192.168.1.1")), Assert.Single(Assert.Single(Of<RouteEntry>(id)).NextHops));
            Assert.Contains(Of<LinkEntry>(WirePlan.WireId), port => port.Name == id.Name && port.Master == "wire0");
        }
    }

    [Fact]
    public void Who_put_it_there_can_be_read_off_everything()
    {
        Assert.All(State.Entries.Values.Where(static one => one.Entry is LinkEntry { Name: not "lo" }), static one => Assert.StartsWith("plumb-lab:", one.Stamp?.Text, StringComparison.Ordinal));
        Assert.All(State.Entries.Values.Select(static one => one.Entry).OfType<RouteEntry>(), static route => Assert.Equal(RouteProtocol.PlumbLab, route.Protocol));
        Assert.All(State.Entries.Values.Select(static one => one.Entry).OfType<NeighbourEntry>(), static one => Assert.Equal(RouteProtocol.PlumbLab, one.Protocol));
    }

    [Fact]
    public void Machines_know_one_another_s_hardware_addresses()
    {
        foreach (var id in (ReadOnlySpan<NamespaceId>)[WirePlan.NodeId(1), WirePlan.NodeId(2), WirePlan.OutsideId])
        {
            Assert.Equal(2, Of<NeighbourEntry>(id).Count);
        }
        var eth0 = Of<LinkEntry>(WirePlan.NodeId(2)).Single(static link => link.Name == "eth0");
        Assert.Equal(eth0.Mac, Of<NeighbourEntry>(WirePlan.NodeId(1)).Single(static one => one.Address == IpAddress.Parse("192.168.1.12")).Mac);
    }

    [Fact]
    public void Bridges_do_not_show_frames_to_the_hooks_of_IP_where_the_kernel_would()
    {
        foreach (var id in (ReadOnlySpan<NamespaceId>)[WirePlan.WireId, WirePlan.NodeId(1), WirePlan.NodeId(2)])
        {
            Assert.Equal(
                ["net/bridge/bridge-nf-call-ip6tables 0", "net/bridge/bridge-nf-call-iptables 0"],
                Of<SysctlEntry>(id).Select(static one => $"{one.Path} {one.Value}").Order(StringComparer.Ordinal));
        }
        Assert.DoesNotContain(WirePlan.Of(new WireAddresses(new LabOptions()), bridgeFilter: false).Entries.Values, static one => one.Entry is SysctlEntry);
    }

    private static List<T> Of<T>(NamespaceId id)
        where T : Entry => [.. State.Entries.Values.Select(static one => one.Entry).OfType<T>().Where(entry => entry.Namespace == id)];
}
