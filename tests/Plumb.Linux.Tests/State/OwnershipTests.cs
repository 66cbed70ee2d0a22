using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.State;

public sealed class OwnershipTests
{
    private static readonly NamespaceId Node = new("node-1");

    [Theory]
    [InlineData("plumb:Pod default/client", Owner.Plumb)]
    [InlineData("plumb-lab: wire", Owner.Foreign)]
    [InlineData("the uplink", Owner.Foreign)]
    [InlineData(null, Owner.Foreign)]
    public void A_link_is_Plumbs_by_its_alias(string? alias, Owner expected)
    {
        var link = new LinkEntry(Node, "cni0", new LinkType.Bridge());

        Assert.Equal(expected, Ownership.OfLink(link, alias is null ? null : new Stamp(alias)));
        Assert.Equal(Owner.Kernel, Ownership.OfLink(new LinkEntry(Node, "lo", new LinkType.Loopback()), null));
    }

    [Theory]
    [InlineData(112, 254, Owner.Plumb)]
    [InlineData(113, 254, Owner.Foreign)]
    [InlineData(2, 254, Owner.Kernel)]
    [InlineData(2, 255, Owner.Kernel)]
    [InlineData(4, 254, Owner.Foreign)]
    public void A_route_belongs_to_whom_its_protocol_number_says(byte protocol, uint table, Owner expected) =>
        Assert.Equal(expected, Ownership.OfRoute(new RouteEntry(Node, IpPrefix.Parse("10.244.2.0/24"))
        {
            Protocol = new RouteProtocol(protocol),
            Table = new RouteTable(table),
        }));

    [Theory]
    [InlineData("10.244.1.1/24", 112, Owner.Foreign, Owner.Plumb)]
    [InlineData("10.244.1.1/24", null, Owner.Plumb, Owner.Plumb)]
    [InlineData("10.244.1.1/24", 0, Owner.Plumb, Owner.Foreign)]
    [InlineData("192.168.1.11/24", null, Owner.Foreign, Owner.Foreign)]
    [InlineData("127.0.0.1/8", null, Owner.Kernel, Owner.Kernel)]
    [InlineData("10.0.0.1/32", null, Owner.Kernel, Owner.Foreign)]
    [InlineData("fe80::1/64", 3, Owner.Foreign, Owner.Kernel)]
    public void An_address_belongs_by_its_protocol_else_by_its_link(string address, int? protocol, Owner link, Owner expected) =>
        Assert.Equal(expected, Ownership.OfAddress(
            new AddressEntry(Node, "dev", IpPrefix.Parse(address)) { Protocol = protocol is { } p ? new RouteProtocol((byte)p) : null },
            link));

    [Theory]
    [InlineData(NeighbourState.Permanent, 112, Owner.Plumb)]
    [InlineData(NeighbourState.Permanent, 0, Owner.Foreign)]
    [InlineData(NeighbourState.Reachable, 0, Owner.Kernel)]
    [InlineData(NeighbourState.NoArp, 0, Owner.Kernel)]
    public void A_neighbour_that_nobody_fixed_was_resolved_by_the_kernel(NeighbourState state, byte protocol, Owner expected) =>
        Assert.Equal(expected, Ownership.OfNeighbour(
            new NeighbourEntry(Node, "cni0", IpAddress.Parse("10.244.1.5")) { State = state, Protocol = new RouteProtocol(protocol) }));

    [Theory]
    [InlineData(null, NeighbourState.NoArp, Owner.Plumb, Owner.Plumb)]
    [InlineData(null, NeighbourState.NoArp, Owner.Foreign, Owner.Foreign)]
    [InlineData(null, NeighbourState.Permanent, Owner.Plumb, Owner.Kernel)]
    [InlineData(null, NeighbourState.Reachable, Owner.Plumb, Owner.Kernel)]
    [InlineData("192.168.1.12", NeighbourState.Permanent, Owner.Plumb, Owner.Plumb)]
    [InlineData("192.168.1.12", NeighbourState.Permanent, Owner.Foreign, Owner.Foreign)]
    public void A_forwarding_entry_belongs_with_the_link_that_it_hangs_on(string? remote, NeighbourState state, Owner link, Owner expected) =>
        Assert.Equal(expected, Ownership.OfFdb(
            new FdbEntry(Node, "veth0", MacAddress.Parse("0a:58:0a:f4:01:05"))
            {
                Remote = remote is null ? null : IpAddress.Parse(remote),
                State = state,
            },
            link));
}
