using FsCheck;
using FsCheck.Fluent;
using Plumb.Diagnosis.Snapshots.Redaction;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Tests.Snapshots;

public sealed class AddressMaskTests
{
    private static readonly byte[] Key = new byte[Redaction.KeyBytes];

    private readonly AddressMask _mask = new(Key);

    [Fact]
    public void Two_addresses_are_in_one_network_exactly_if_their_masks_are() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<(uint Network, byte One, byte Other, byte Length)>().ToArbitrary(),
        given =>
        {
            // Near to one another, so that they meet in some network and not in others.
            var (one, other) = (V4(given.Network ^ given.One), V4(given.Network ^ ((uint)given.Other << (given.Length % 24))));
            return Enumerable.Range(0, 33).All(length => new IpPrefix(one, length).Contains(other) == new IpPrefix(_mask.Of(one), length).Contains(_mask.Of(other)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void So_it_is_with_IPv6() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<(ulong Network, ulong Host, byte Bit)>().ToArbitrary(),
        given =>
        {
            var (one, other) = (V6(given.Network, given.Host), V6(given.Network ^ (1UL << (given.Bit % 64)), given.Host));
            return Enumerable.Range(0, 129).All(length => new IpPrefix(one, length).Contains(other) == new IpPrefix(_mask.Of(one), length).Contains(_mask.Of(other)))
                || one.IsLinkLocal || other.IsLinkLocal || one.IsMulticast || other.IsMulticast || one.Number >> 112 == 0 || other.Number >> 112 == 0;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("255.255.255.0")]
    [InlineData("224.0.0.251")]
    [InlineData("::1")]
    [InlineData("ff02::1")]
    [InlineData("fe80::1")]
    public void What_means_something_by_itself_stays(string address) => Assert.Equal(address, _mask.Of(IpAddress.Parse(address)).ToString());

    [Theory]
    [InlineData("10.244.0.0/16", "10.0.0.0/8")]
    [InlineData("172.20.3.0/24", "172.16.0.0/12")]
    [InlineData("192.168.1.0/24", "192.168.0.0/16")]
    [InlineData("100.64.7.0/24", "100.64.0.0/10")]
    public void A_private_network_stays_one_and_becomes_another(string network, string range)
    {
        var masked = _mask.Of(IpPrefix.Parse(network));
        Assert.True(IpPrefix.Parse(range).Contains(masked));
        Assert.Equal(masked, masked.Network);
        Assert.NotEqual(IpPrefix.Parse(network), masked);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.9")]
    [InlineData("10.244.0.0", "10.244.255.255")]
    public void A_range_holds_the_same_addresses(string first, string last)
    {
        var (low, high) = (IpAddress.Parse(first), IpAddress.Parse(last));
        var (from, to) = (_mask.FirstOf(low, high), _mask.LastOf(low, high));
        Assert.Equal(high.DistanceFrom(low), to.DistanceFrom(from));
        Assert.True(from <= _mask.Of(low.Plus(3)) && _mask.Of(low.Plus(3)) <= to);
    }

    [Fact]
    public void An_interface_that_bears_its_hardware_address_bears_the_other_one()
    {
        var mac = _mask.Of(MacAddress.Parse("0a:58:0a:f4:01:02"));
        Assert.NotEqual("0a:58:0a:f4:01:02", mac.ToString());
        var octets = mac.ToString().Split(':').Select(static octet => Convert.ToByte(octet, 16)).ToArray();
        var own = IpAddress.FromNumber(
            IpFamily.V6, ((UInt128)0xfe80_0000_0000_0000 << 64) | ((ulong)(octets[0] ^ 2) << 56) | ((ulong)octets[1] << 48) | ((ulong)octets[2] << 40) | (0xfffeUL << 24) | ((ulong)octets[3] << 16) | ((ulong)octets[4] << 8) | octets[5]);
        Assert.Equal(own, _mask.Of(IpAddress.Parse("fe80::858:aff:fef4:102")));
    }

    private static IpAddress V4(uint number) => IpAddress.FromNumber(IpFamily.V4, number);

    private static IpAddress V6(ulong network, ulong host) => IpAddress.FromNumber(IpFamily.V6, ((UInt128)network << 64) | host);
}
