using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.Ipvs;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>Virtual services of IPVS, as kube-proxy makes them: their addresses are on a device that leads nowhere.</summary>
public sealed class BalancerTests
{
    private static readonly IpAddress Address = IpAddress.Parse("10.96.0.1");

    [Theory]
    [InlineData("rr", "b 0.33, c 0.33, node 0.33")]
    [InlineData("wrr", "b 0.25, c 0.5, node 0.25")]
    [InlineData("lc", "b 1")]
    [InlineData("sh", "b 0.33, c 0.33, node 0.33")]
    public void A_packet_goes_to_one_of_the_servers_as_the_scheduler_has_it(string scheduler, string expected)
    {
        var outcomes = Cluster(new IpvsService(Address, Packet.Tcp, 80, scheduler) { Servers = [Server("10.0.2.2", 1), Server("10.0.3.2", 2, active: 3), Server("10.0.1.1", 1, active: 1), Server("10.0.3.9", 0)] }).Walk("a", "10.96.0.1");
        Assert.All(outcomes, static outcome => Assert.True(outcome.Verdict == Verdict.Delivered, $"{outcome.Reason}\n{Sketch.Told(outcome.There)}\n{Sketch.Told(outcome.Back)}"));
        Assert.Equal(expected, string.Join(", ", outcomes.Select(static outcome => $"{outcome.End} {outcome.Probability:0.##}").Order(StringComparer.Ordinal)));
        // The client sees the answer come from whom it asked.
        Assert.All(outcomes, static outcome => Assert.Equal(Address, outcome.Answer!.Source));
    }

    [Fact]
    public void A_host_s_own_packets_are_sent_on_too() =>
        Assert.Equal("c", Assert.Single(Cluster(new IpvsService(Address, Packet.Tcp, 80, "rr") { Servers = [Server("10.0.3.2", 1)] }).Walk("node", "10.96.0.1")).End.Name);

    [Fact]
    public void A_service_without_a_server_is_refused()
    {
        var outcome = Assert.Single(Cluster(new IpvsService(Address, Packet.Tcp, 80, "rr") { Servers = [Server("10.0.3.2", 0)] }).Walk("a", "10.96.0.1"));
        Assert.Equal(Verdict.Refused, outcome.Verdict);
        Assert.Contains("IPVS has no server for TCP 10.96.0.1:80", outcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_followed_is_said()
    {
        var outcome = Assert.Single(Cluster(new IpvsService(Address, Packet.Tcp, 80, "rr") { Servers = [Server("10.0.3.2", 1) with { Method = IpvsMethod.DirectRoute }] }).Walk("a", "10.96.0.1"));
        Assert.Equal(Verdict.Undecided, outcome.Verdict);
    }

    private static IpvsServer Server(string address, int weight, uint active = 0) => new(IpAddress.Parse(address), 80, IpvsMethod.Masquerading, weight) { ActiveConnections = active };

    private static Sketch Cluster(IpvsService service)
    {
        var sketch = new Sketch("node", "a", "b", "c").Service("node", service)
            .Device("node", "kube-ipvs0", new LinkType.Other("dummy")).Address("node", "kube-ipvs0", "10.96.0.1/32");
        foreach (var (pod, number) in ((string, int)[])[("a", 1), ("b", 2), ("c", 3)])
        {
            sketch.Cable("node", $"veth{pod}", pod, "eth0").Address("node", $"veth{pod}", $"10.0.{number}.1/24").Address(pod, "eth0", $"10.0.{number}.2/24").Route(pod, "0.0.0.0/0", "eth0", $"10.0.{number}.1");
        }
        return sketch;
    }
}
