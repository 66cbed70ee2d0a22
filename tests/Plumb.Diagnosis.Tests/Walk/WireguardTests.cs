using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>WireGuard between two nodes, of which one knows where the other is.</summary>
public sealed class WireguardTests
{
    [Fact]
    public void A_packet_is_encrypted_for_the_peer_that_may_have_it_and_its_answer_goes_to_where_it_came_from()
    {
        var outcome = Assert.Single(Nodes("10.244.1.0/24").Walk("a", "10.244.2.1"));
        Assert.True(outcome.Verdict == Verdict.Delivered, $"{outcome.Reason}\n{Sketch.Told(outcome.There)}\n{Sketch.Told(outcome.Back)}");
        Assert.Contains("b: decrypted at wg0", Sketch.Told(outcome.There), StringComparison.Ordinal);
        Assert.Contains("a: decrypted at wg0", Sketch.Told(outcome.Back), StringComparison.Ordinal);
        var into = outcome.There.First(static hop => hop.What == "encrypted for the peer key-of-b… at 192.0.2.2");
        Assert.Equal((51820, 51821, 64 + 60), (into.After.SourcePort, into.After.DestinationPort, into.After.Length));
    }

    [Theory]
    [InlineData("10.244.9.0/24", "10.244.2.1", "may not send from 10.244.1.1")]
    [InlineData("10.244.1.0/24", "10.244.3.1", "no peer of wg0 may have 10.244.3.1")]
    public void Whoever_is_not_allowed_an_address_gets_and_sends_nothing(string allowedThere, string to, string reason)
    {
        var outcome = Assert.Single(Nodes(allowedThere).Walk("a", to));
        Assert.NotEqual(Verdict.Delivered, outcome.Verdict);
        Assert.Contains(reason, outcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_was_never_heard_cannot_be_called() =>
        Assert.Contains("has no endpoint and has not called", Assert.Single(Nodes("10.244.1.0/24").Walk("b", "10.244.1.1")).Reason, StringComparison.Ordinal);

    private static Sketch Nodes(string allowedThere) => new Sketch("a", "b")
        .Cable("a", "eth0", "b", "eth0").Address("a", "eth0", "192.0.2.1/24").Address("b", "eth0", "192.0.2.2/24")
        .Device("a", "wg0", Device("key-of-a", 51820, new WireguardPeer("key-of-b.", IpAddress.Parse("192.0.2.2"), 51821, [IpPrefix.Parse("10.244.2.0/24")])))
        .Address("a", "wg0", "10.244.1.1/32").Route("a", "10.244.0.0/16", "wg0")
        .Device("b", "wg0", Device("key-of-b.", 51821, new WireguardPeer("key-of-a", null, 0, [IpPrefix.Parse(allowedThere)])))
        .Address("b", "wg0", "10.244.2.1/32").Route("b", "10.244.0.0/16", "wg0");

    private static LinkType.Wireguard Device(string key, int port, WireguardPeer peer) => new() { PublicKey = key, ListenPort = port, Peers = [peer] };
}
