using System.Globalization;

namespace Plumb.Linux.Addresses;

/// <summary>A 48-bit Ethernet address (IEEE 802), first octet on the wire in the highest byte.</summary>
public readonly record struct MacAddress : IComparable<MacAddress>
{
    public const int ByteLength = 6;

    private readonly ulong _bits;

    private MacAddress(ulong bits) => _bits = bits & 0xffff_ffff_ffff;

    public static MacAddress FromNumber(ulong number) => new(number);

    /// <summary>
    /// A locally administered unicast address made of a two-octet prefix and the four octets of an IPv4 address, so that the
    /// address of a device follows from its IP address alone and no node has to ask another for it.
    /// </summary>
    public static MacAddress FromIPv4(byte first, byte second, IpAddress address) =>
        new(((ulong)first << 40) | ((ulong)second << 32) | (uint)address.Halves.Low);

    public ulong Number => _bits;

    public bool IsZero => _bits == 0;

    public bool IsMulticast => ((_bits >> 40) & 1) != 0;

    public static bool TryRead(ReadOnlySpan<byte> bytes, out MacAddress mac)
    {
        mac = default;
        if (bytes.Length != ByteLength)
        {
            return false;
        }
        ulong bits = 0;
        foreach (var b in bytes)
        {
            bits = (bits << 8) | b;
        }
        mac = new MacAddress(bits);
        return true;
    }

    public void WriteBytes(Span<byte> destination)
    {
        for (var i = 0; i < ByteLength; i++)
        {
            destination[i] = (byte)(_bits >> (40 - (8 * i)));
        }
    }

    public static MacAddress Parse(string text) =>
        TryParse(text, out var mac) ? mac : throw new FormatException($"'{text}' is not a MAC address such as 0a:58:0a:f4:01:05");

    /// <summary>Six pairs of hexadecimal digits, separated by colons.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress mac)
    {
        mac = default;
        if (text.Length != 17)
        {
            return false;
        }
        ulong bits = 0;
        for (var i = 0; i < ByteLength; i++)
        {
            if ((i > 0 && text[(i * 3) - 1] != ':')
                || !byte.TryParse(text.Slice(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                return false;
            }
            bits = (bits << 8) | octet;
        }
        mac = new MacAddress(bits);
        return true;
    }

    public int CompareTo(MacAddress other) => _bits.CompareTo(other._bits);

    public override string ToString() => string.Create(17, _bits, static (span, bits) =>
    {
        const string digits = "0123456789abcdef";
        for (var i = 0; i < ByteLength; i++)
        {
            var octet = (int)(bits >> (40 - (8 * i))) & 255;
            span[i * 3] = digits[octet >> 4];
            span[(i * 3) + 1] = digits[octet & 15];
            if (i < ByteLength - 1)
            {
                span[(i * 3) + 2] = ':';
            }
        }
    });
}
