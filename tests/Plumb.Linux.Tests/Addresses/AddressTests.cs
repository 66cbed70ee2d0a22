using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Tests.Addresses;

public sealed class AddressTests
{
    private static readonly Arbitrary<IpAddress> Addresses = ArbMap.Default.ArbFor<(bool V6, ulong High, ulong Low)>().Convert(
        static bits => bits.V6
            ? IpAddress.FromNumber(IpFamily.V6, new UInt128(bits.High, bits.Low))
            : IpAddress.FromNumber(IpFamily.V4, (uint)bits.Low),
        static address => (address.Family == IpFamily.V6, (ulong)(address.Number >> 64), (ulong)address.Number));

    [Fact]
    public void Text_and_bytes_lead_back_to_the_address() => Prop.ForAll(Addresses, address =>
        IpAddress.Parse(address.ToString()) == address
        && IpAddress.TryRead(address.ToBytes(), out var read) && read == address
        && IpAddress.From(address.ToIPAddress()) == address
        && address.ToString() == address.ToIPAddress().ToString()).QuickCheckThrowOnFailure();

    [Fact]
    public void A_prefix_contains_exactly_what_lies_between_its_first_and_last() => Prop.ForAll(
        Addresses, Addresses, Gen.Choose(0, 128).ToArbitrary(), (address, other, bits) =>
        {
            var prefix = new IpPrefix(address, Math.Min(bits, address.BitLength));
            var between = other.Family == address.Family && other.CompareTo(prefix.First) >= 0 && other.CompareTo(prefix.Last) <= 0;
            return prefix.Contains(other) == between
                && prefix.Contains(address)
                && prefix.Contains(prefix.Network)
                && prefix.Network.Address == prefix.First
                && IpPrefix.Parse(prefix.ToString()) == prefix;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Prefixes_overlap_when_one_holds_the_other() => Prop.ForAll(
        Addresses, Addresses, Gen.Choose(0, 32).Two().ToArbitrary(), (a, b, bits) =>
        {
            var (left, right) = (new IpPrefix(a, bits.Item1), new IpPrefix(b, bits.Item2));
            return left.Overlaps(right) == right.Overlaps(left)
                && left.Overlaps(right) == (left.Contains(right.Network) || right.Contains(left.Network));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Addresses_count_as_numbers_of_their_width() => Prop.ForAll(Addresses, ArbMap.Default.ArbFor<ulong>(), (address, count) =>
    {
        var width = address.Family == IpFamily.V4 ? (UInt128)uint.MaxValue : UInt128.MaxValue;
        var further = address.Plus(count);
        return further.Number == ((address.Number + count) & width)
            && further.Family == address.Family
            && (further < address || further.DistanceFrom(address) == (count & (ulong)width));
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("::", "::1:0:0:0:0", ulong.MaxValue)]
    [InlineData("::ffff:ffff:ffff:ffff", "::1:0:0:0:0", 1)]
    [InlineData("10.244.0.255", "10.244.1.1", 2)]
    public void A_distance_crosses_the_middle_of_an_address(string lower, string upper, ulong distance)
    {
        Assert.Equal(distance, IpAddress.Parse(upper).DistanceFrom(IpAddress.Parse(lower)));
        Assert.Throws<ArgumentOutOfRangeException>(() => IpAddress.Parse(lower).DistanceFrom(IpAddress.Parse(upper)));
    }

    [Theory]
    [InlineData("10.244.0.0/16", 24, 3, "10.244.3.0/24")]
    [InlineData("10.244.0.0/24", 24, 0, "10.244.0.0/24")]
    [InlineData("10.244.0.0/24", 24, 1, null)]
    [InlineData("10.244.0.0/16", 24, 256, null)]
    [InlineData("10.244.0.0/16", 15, 0, null)]
    [InlineData("10.244.0.0/16", 33, 0, null)]
    [InlineData("fd00:10:244::/56", 64, 7, "fd00:10:244:7::/64")]
    [InlineData("fd00:10:244::/40", 72, 0x8765_4321, "fd00:10:287:6543:2100::/72")]
    [InlineData("fd00:10:244::/112", 128, 7, "fd00:10:244::7/128")]
    public void A_network_has_equal_parts(string network, int length, uint index, string? part)
    {
        if (part is null)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => IpPrefix.Parse(network).Part(length, index));
        }
        else
        {
            Assert.Equal(part, IpPrefix.Parse(network).Part(length, index).ToString());
        }
    }

    [Theory]
    [InlineData("10.244.1.5", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("fd00:10:244::5", true)]
    [InlineData("::", true)]
    [InlineData("10.244.1", false)]
    [InlineData("10.244.1.05", false)]
    [InlineData("10.244.1.256", false)]
    [InlineData("0x0a.1.1.1", false)]
    [InlineData("10.244.1.5 ", false)]
    [InlineData("fe80::1%eth0", false)]
    [InlineData("[::1]", false)]
    [InlineData("", false)]
    public void Only_whole_addresses_are_addresses(string text, bool valid) => Assert.Equal(valid, IpAddress.TryParse(text, out _));

    [Theory]
    [InlineData("10.244.0.0/16", true)]
    [InlineData("10.244.1.5/32", true)]
    [InlineData("10.244.0.0/33", false)]
    [InlineData("10.244.0.0/-1", false)]
    [InlineData("10.244.0.0/+8", false)]
    [InlineData("10.244.0.0/", false)]
    [InlineData("10.244.0.0", false)]
    [InlineData("fd00::/129", false)]
    public void Only_whole_prefixes_are_prefixes(string text, bool valid) => Assert.Equal(valid, IpPrefix.TryParse(text, out _));

    [Theory]
    [InlineData("127.0.0.53", "IsLoopback")]
    [InlineData("::1", "IsLoopback")]
    [InlineData("169.254.1.1", "IsLinkLocal")]
    [InlineData("fe80::1", "IsLinkLocal")]
    [InlineData("febf::1", "IsLinkLocal")]
    [InlineData("fec0::1", "")]
    [InlineData("224.0.0.251", "IsMulticast")]
    [InlineData("ff02::1", "IsMulticast")]
    [InlineData("10.0.0.1", "")]
    [InlineData("0.0.0.0", "IsUnspecified")]
    public void Special_addresses_are_known(string text, string kind)
    {
        var address = IpAddress.Parse(text);

        Assert.Equal(kind, string.Join(' ', new[]
        {
            address.IsLoopback ? nameof(address.IsLoopback) : null,
            address.IsLinkLocal ? nameof(address.IsLinkLocal) : null,
            address.IsMulticast ? nameof(address.IsMulticast) : null,
            address.IsUnspecified ? nameof(address.IsUnspecified) : null,
        }.OfType<string>()));
    }

    [Fact]
    public void A_hardware_address_is_read_written_and_made_of_an_IPv4_address()
    {
        var mac = MacAddress.FromIPv4(0x0a, 0x58, IpAddress.V4(10, 244, 1, 5));

        Assert.Equal("0a:58:0a:f4:01:05", mac.ToString());
        Assert.Equal(mac, MacAddress.Parse("0A:58:0a:f4:01:05"));
        Span<byte> bytes = stackalloc byte[MacAddress.ByteLength];
        mac.WriteBytes(bytes);
        Assert.True(MacAddress.TryRead(bytes, out var read));
        Assert.Equal(mac, read);
        Assert.False(mac.IsMulticast);
        Assert.False(MacAddress.TryParse("0a:58:0a:f4:01", out _));
        Assert.False(MacAddress.TryParse("0a-58-0a-f4-01-05", out _));
    }
}
