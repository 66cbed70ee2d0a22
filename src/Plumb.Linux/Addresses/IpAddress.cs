using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Plumb.Linux.Addresses;

/// <summary>The two families of the Internet Protocol, with the kernel's numbers (<c>linux/socket.h</c>).</summary>
public enum IpFamily : byte
{
    /// <summary>AF_INET</summary>
    V4 = 2,

    /// <summary>AF_INET6</summary>
    V6 = 10,
}

/// <summary>An IPv4 or IPv6 address as a value: 17 bytes, no allocation, ordered as numbers within its family.</summary>
/// <remarks>
/// An IPv4-mapped IPv6 address stays IPv6: what the kernel holds is what is compared. Two numbers of 64 bits and not one of 128, because
/// what has a <see cref="UInt128"/> in it is not compiled ahead: each method that touched an address was compiled at every start.
/// </remarks>
public readonly record struct IpAddress : IComparable<IpAddress>, ISpanFormattable
{
    private readonly ulong _high;
    private readonly ulong _low; // an IPv4 address stands in the low 32 bits

    internal IpAddress(IpFamily family, ulong high, ulong low)
    {
        Family = family;
        _high = high;
        _low = low;
    }

    /// <summary><c>default</c> has no family and is no address; <see cref="IsNone"/> tells.</summary>
    public IpFamily Family { get; }

    public bool IsNone => Family == 0;

    /// <summary>The address as an unsigned number in host order; an IPv4 address stands in the low 32 bits.</summary>
    public UInt128 Number => new(_high, _low);

    /// <summary>The upper and the lower half of <see cref="Number"/>.</summary>
    internal (ulong High, ulong Low) Halves => (_high, _low);

    /// <summary>32 or 128.</summary>
    public int BitLength => Family == IpFamily.V4 ? 32 : 128;

    /// <summary>4 or 16.</summary>
    public int ByteLength => BitLength / 8;

    public bool IsUnspecified => (_high | _low) == 0;

    public bool IsLoopback => Family == IpFamily.V4 ? _low >> 24 == 127 : _high == 0 && _low == 1;

    public bool IsMulticast => Family == IpFamily.V4 ? _low >> 28 == 0xe : _high >> 56 == 0xff;

    /// <summary>169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291).</summary>
    public bool IsLinkLocal => Family == IpFamily.V4 ? _low >> 16 == 0xa9fe : _high >> 54 == 0xfe80 >> 6;

    public static IpAddress FromNumber(IpFamily family, UInt128 hostOrder) =>
        family == IpFamily.V4 && hostOrder > uint.MaxValue
            ? throw new ArgumentOutOfRangeException(nameof(hostOrder), "an IPv4 address has 32 bits")
            : new IpAddress(family, (ulong)(hostOrder >> 64), (ulong)hostOrder);

    /// <summary>0.0.0.0 or ::</summary>
    public static IpAddress Unspecified(IpFamily family) => new(family, 0, 0);

    public static IpAddress V4(byte a, byte b, byte c, byte d) => new(IpFamily.V4, 0, (uint)((a << 24) | (b << 16) | (c << 8) | d));

    /// <summary>Reads 4 or 16 bytes in network order, as netlink attributes and packet headers carry them.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bigEndian, out IpAddress address)
    {
        address = bigEndian.Length switch
        {
            4 => new IpAddress(IpFamily.V4, 0, BinaryPrimitives.ReadUInt32BigEndian(bigEndian)),
            16 => new IpAddress(IpFamily.V6, BinaryPrimitives.ReadUInt64BigEndian(bigEndian), BinaryPrimitives.ReadUInt64BigEndian(bigEndian[8..])),
            _ => default,
        };
        return !address.IsNone;
    }

    /// <summary>Writes <see cref="ByteLength"/> bytes in network order.</summary>
    public void WriteBytes(Span<byte> bigEndian)
    {
        if (Family == IpFamily.V4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bigEndian, (uint)_low);
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(bigEndian, _high);
            BinaryPrimitives.WriteUInt64BigEndian(bigEndian[8..], _low);
        }
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[ByteLength];
        WriteBytes(bytes);
        return bytes;
    }

    /// <summary>The address <paramref name="count"/> places further on; wraps within the family's width.</summary>
    public IpAddress Plus(ulong count)
    {
        var low = unchecked(_low + count);
        return Family == IpFamily.V4
            ? new(Family, 0, (uint)low)
            : new(Family, unchecked(_high + (low < count ? 1u : 0)), low);
    }

    /// <summary>How many places further on than <paramref name="lower"/> of the same family; <see cref="ulong.MaxValue"/> also stands for all that is more.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not lower, nor the same.</exception>
    public ulong DistanceFrom(IpAddress lower)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lower, this);
        var high = _high - lower._high - (_low < lower._low ? 1u : 0);
        return high == 0 ? unchecked(_low - lower._low) : ulong.MaxValue;
    }

    public static IpAddress From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        TryRead(bytes[..written], out var result);
        return result;
    }

    public IPAddress ToIPAddress() => new(ToBytes());

    public static IpAddress Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not an IP address");

    /// <summary>Dotted quads of four decimal numbers, or RFC 4291 text. No zones, brackets, short or octal forms.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out IpAddress address)
    {
        address = default;
        if (!text.Contains(':'))
        {
            return TryParseDottedQuad(text, out address);
        }
        if (text.ContainsAny('%', '[') || !IPAddress.TryParse(text, out var parsed))
        {
            return false;
        }
        address = From(parsed);
        return true;
    }

    // Four decimal numbers and no other form: inet_aton's short, octal and hexadecimal ones name other machines than the reader thinks.
    private static bool TryParseDottedQuad(ReadOnlySpan<char> text, out IpAddress address)
    {
        address = default;
        uint number = 0, part = 0;
        int parts = 0, digits = 0;
        foreach (var letter in text)
        {
            if (letter == '.' && digits > 0 && parts < 3)
            {
                number = (number << 8) | part;
                parts++;
                (part, digits) = (0, 0);
            }
            else if (char.IsAsciiDigit(letter) && (digits == 0 || part > 0))
            {
                part = (part * 10) + (uint)(letter - '0');
                digits++;
                if (part > 255)
                {
                    return false;
                }
            }
            else
            {
                return false;
            }
        }
        if (parts != 3 || digits == 0)
        {
            return false;
        }
        address = new IpAddress(IpFamily.V4, 0, (number << 8) | part);
        return true;
    }

    public int CompareTo(IpAddress other) =>
        Family != other.Family ? Family.CompareTo(other.Family)
        : _high != other._high ? _high.CompareTo(other._high)
        : _low.CompareTo(other._low);

    public static bool operator <(IpAddress left, IpAddress right) => left.CompareTo(right) < 0;

    public static bool operator >(IpAddress left, IpAddress right) => left.CompareTo(right) > 0;

    public static bool operator <=(IpAddress left, IpAddress right) => left.CompareTo(right) <= 0;

    public static bool operator >=(IpAddress left, IpAddress right) => left.CompareTo(right) >= 0;

    public override string ToString() => ToString(null, null);

    public string ToString(string? format, IFormatProvider? formatProvider)
    {
        Span<char> text = stackalloc char[48];
        return TryFormat(text, out var written, default, null) ? new string(text[..written]) : "";
    }

    public bool TryFormat(Span<char> destination, out int charsWritten, [StringSyntax("")] ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        if (IsNone)
        {
            charsWritten = 0;
            return true;
        }
        return Family == IpFamily.V4 ? TryFormatDottedQuad((uint)_low, destination, out charsWritten) : ToIPAddress().TryFormat(destination, out charsWritten);
    }

    private static bool TryFormatDottedQuad(uint number, Span<char> destination, out int charsWritten)
    {
        charsWritten = 0;
        for (var shift = 24; shift >= 0; shift -= 8)
        {
            if (!((byte)(number >> shift)).TryFormat(destination[charsWritten..], out var written, default, null))
            {
                return false;
            }
            charsWritten += written;
            if (shift > 0)
            {
                if (charsWritten == destination.Length)
                {
                    return false;
                }
                destination[charsWritten++] = '.';
            }
        }
        return true;
    }
}
