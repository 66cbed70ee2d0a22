using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>Tunnels that carry packets without frames, as Calico and Flannel lay them between nodes.</summary>
public sealed class IpTunnelTests
{
    [Fact]
    public void A_tunnel_to_nobody_in_particular_goes_to_the_router_of_the_route()
    {
        var outcome = Assert.Single(Nodes(new LinkType.IpTunnel(IpTunnelProtocol.Ipip)).Walk("a", "10.244.2.1"));
        Assert.True(outcome.Verdict == Verdict.Delivered, $"{outcome.Reason}\n{Sketch.Told(outcome.There)}\n{Sketch.Told(outcome.Back)}");
        var into = outcome.There.First(static hop => hop.What == "into a tunnel (ipip) to 192.0.2.2");
        Assert.Equal((4, 80, 60, IpAddress.Parse("192.0.2.2")), (into.After.Protocol, into.After.Length, into.After.Inner!.Packet.Length, into.After.Destination));
        Assert.Contains("b: out of the tunnel at tunl0", Sketch.Told(outcome.There), StringComparison.Ordinal);
        Assert.Contains("a: out of the tunnel at tunl0", Sketch.Told(outcome.Back), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("192.0.2.1", null, Verdict.Delivered)]
    [InlineData("192.0.2.7", null, Verdict.Lost)] // another's tunnel
    [InlineData("192.0.2.1", 7u, Verdict.Lost)] // another key
    public void A_tunnel_takes_what_comes_from_its_other_end(string remote, uint? key, Verdict expected)
    {
        var here = new LinkType.IpTunnel(IpTunnelProtocol.Gre) { Remote = IpAddress.Parse("192.0.2.2"), Local = IpAddress.Parse("192.0.2.1") };
        var outcome = Assert.Single(Nodes(here, here with { Remote = IpAddress.Parse(remote), Local = null, Key = key }).Walk("a", "10.244.2.1"));
        Assert.True(outcome.Verdict == expected, $"{outcome.Verdict}: {outcome.Reason}");
        Assert.Equal(expected == Verdict.Lost, outcome.Reason.Contains("no tunnel device here takes protocol 47", StringComparison.Ordinal));
    }

    private static Sketch Nodes(LinkType.IpTunnel here, LinkType.IpTunnel? there = null) => new Sketch("a", "b")
        .Cable("a", "eth0", "b", "eth0").Address("a", "eth0", "192.0.2.1/24").Address("b", "eth0", "192.0.2.2/24")
        .Device("a", "tunl0", here).Address("a", "tunl0", "10.244.1.1/32").Route("a", "10.244.2.0/24", "tunl0", "192.0.2.2")
        .Device("b", "tunl0", there ?? here).Address("b", "tunl0", "10.244.2.1/32").Route("b", "10.244.1.0/24", "tunl0", "192.0.2.1");
}
