using Plumb.Dns.Wire;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Zones;

/// <summary>Names below <c>in-addr.arpa</c> (RFC 1035, section 3.5) and <c>ip6.arpa</c> (RFC 3596, section 2.5).</summary>
internal static class ReverseName
{
    private static readonly DomainName V4 = DomainName.Parse("in-addr.arpa");
    private static readonly DomainName V6 = DomainName.Parse("ip6.arpa");

    /// <summary>The name that asks for an address.</summary>
    public static DomainName Of(IpAddress address) => Below(address, address.BitLength);

    /// <summary>
    /// The zones that a range is made of: one where the range ends between two labels, else as many as it takes at the next one
    /// (10.96.0.0/12 is 96.10.in-addr.arpa to 111.10.in-addr.arpa).
    /// </summary>
    public static IEnumerable<DomainName> ZonesOf(IpPrefix range)
    {
        var labelBits = range.Family == IpFamily.V4 ? 8 : 4;
        var bits = (range.Length + labelBits - 1) / labelBits * labelBits;
        var count = 1 << (bits - range.Length);
        for (var i = 0; i < count; i++)
        {
            yield return Below(range.Part(bits, (uint)i).Address, bits);
        }
    }

    private static DomainName Below(IpAddress address, int bits)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes = bytes[..address.ByteLength];
        address.WriteBytes(bytes);
        var text = new System.Text.StringBuilder();
        if (address.Family == IpFamily.V4)
        {
            for (var i = (bits / 8) - 1; i >= 0; i--)
            {
                text.Append(bytes[i]).Append('.');
            }
            return DomainName.Parse(text.Append(V4).ToString());
        }
        for (var i = (bits / 4) - 1; i >= 0; i--)
        {
            text.Append($"{(i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 0xf):x}.");
        }
        return DomainName.Parse(text.Append(V6).ToString());
    }
}
