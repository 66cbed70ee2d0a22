using Plumb.Diagnosis.Walk;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>Devices on devices, of kinds that not every kernel has. What macvlans do is held against kernels elsewhere.</summary>
public sealed class StackedDeviceTests
{
    [Theory]
    [InlineData("a", "10.0.0.2", "a: eth0 → eth0 | b: eth0 → eth0.5: the tag 5 is taken off")]
    [InlineData("b", "10.0.0.1", "b: eth0 → eth0 | a: eth0 → eth0.5: the tag 5 is taken off")]
    public void A_tag_is_put_on_and_taken_off(string from, string to, string way)
    {
        var outcome = Assert.Single(Tagged(5).Walk(from, to));
        Assert.True(outcome.Verdict == Verdict.Delivered, outcome.Reason);
        Assert.Contains(way.Split(" | ")[1], Sketch.Told(outcome.There), StringComparison.Ordinal);
        Assert.Contains($"{from}: eth0.5 → eth0", Sketch.Told(outcome.There), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_VLAN_is_another_link() =>
        Assert.Contains("nobody on eth0.5 answers for 10.0.0.2", Assert.Single(Tagged(6).Walk("a", "10.0.0.2")).Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData(IpvlanMode.L2, IpvlanFlags.None, "a", "10.0.0.12", Verdict.Delivered)]
    [InlineData(IpvlanMode.L2, IpvlanFlags.None, "a", "10.0.0.9", Verdict.Delivered)]
    [InlineData(IpvlanMode.L2, IpvlanFlags.None, "outside", "10.0.0.11", Verdict.Delivered)]
    [InlineData(IpvlanMode.L2, IpvlanFlags.None, "a", "10.0.0.1", Verdict.Refused)] // the host itself does not hear the question
    [InlineData(IpvlanMode.L2, IpvlanFlags.Private, "a", "10.0.0.12", Verdict.Refused)]
    [InlineData(IpvlanMode.L3, IpvlanFlags.None, "a", "10.0.0.12", Verdict.Delivered)]
    [InlineData(IpvlanMode.L3, IpvlanFlags.Private, "a", "10.0.0.12", Verdict.Lost)]
    [InlineData(IpvlanMode.L3s, IpvlanFlags.None, "outside", "10.0.0.11", Verdict.Delivered)]
    public void Who_shares_a_hardware_address_is_told_apart_by_the_other(IpvlanMode mode, IpvlanFlags flags, string from, string to, Verdict expected)
    {
        var sketch = new Sketch("node", "outside", "a", "b").Cable("node", "eth0", "outside", "eth0").Address("node", "eth0", "10.0.0.1/24").Address("outside", "eth0", "10.0.0.9/24");
        foreach (var (pod, address) in ((string, string)[])[("a", "10.0.0.11/24"), ("b", "10.0.0.12/24")])
        {
            sketch.Device(pod, "eth0", new LinkType.Ipvlan(mode, flags, new NamespaceId("node"), "eth0"), sketch.Mac("node", "eth0")).Address(pod, "eth0", address);
        }
        // In mode l3 nobody asks: who is outside has been told of the way.
        sketch.Hold(new NeighbourEntry(new NamespaceId("outside"), "eth0", Linux.Addresses.IpAddress.Parse("10.0.0.11")) { Mac = sketch.Mac("node", "eth0"), State = NeighbourState.Permanent });
        var outcome = Assert.Single(sketch.Walk(from, to));
        Assert.True(outcome.Verdict == expected, $"{outcome.Verdict}: {outcome.Reason}\n{Sketch.Told(outcome.There)}\n{Sketch.Told(outcome.Back)}");
    }

    private static Sketch Tagged(int other) => new Sketch("a", "b")
        .Cable("a", "eth0", "b", "eth0")
        .Device("a", "eth0.5", new LinkType.Vlan(5, new NamespaceId("a"), "eth0")).Address("a", "eth0.5", "10.0.0.1/24")
        .Device("b", $"eth0.{other}", new LinkType.Vlan(other, new NamespaceId("b"), "eth0")).Address("b", $"eth0.{other}", "10.0.0.2/24");
}
