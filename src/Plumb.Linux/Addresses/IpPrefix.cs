namespace Plumb.Linux.Addresses;

/// <summary>
/// An address with a prefix length. Host bits are kept, because an interface's address (<c>192.168.1.11/24</c>) has them;
/// <see cref="Network"/> clears them. A route's destination is a prefix whose host bits are zero.
/// </summary>
public readonly record struct IpPrefix : IComparable<IpPrefix>
{
    public IpPrefix(IpAddress address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, address.BitLength);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Address = address;
        Length = (byte)length;
    }

    public IpAddress Address { get; }

    /// <summary>Number of leading bits that name the network: 0–32 or 0–128.</summary>
    public byte Length { get; }

    public IpFamily Family => Address.Family;

    public static IpPrefix Host(IpAddress address) => new(address, address.BitLength);

    public static IpPrefix Everything(IpFamily family) => new(IpAddress.FromNumber(family, 0), 0);

    /// <summary>The same prefix with all host bits zero.</summary>
    public IpPrefix Network => new(First, Length);

    /// <summary>The lowest address inside.</summary>
    public IpAddress First => IpAddress.FromNumber(Family, Address.Number & ~HostMask);

    /// <summary>The highest address inside (an IPv4 network's broadcast address).</summary>
    public IpAddress Last => IpAddress.FromNumber(Family, Address.Number | HostMask);

    public bool IsHost => Length == Address.BitLength;

    private UInt128 HostMask
    {
        get
        {
            var hostBits = Address.BitLength - Length;
            return hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
        }
    }

    public bool Contains(IpAddress address) => address.Family == Family && (address.Number & ~HostMask) == First.Number;

    public bool Contains(IpPrefix other) => other.Length >= Length && Contains(other.Address);

    public bool Overlaps(IpPrefix other) => other.Family == Family && (Contains(other.First) || other.Contains(First));

    public static IpPrefix Parse(string text) =>
        TryParse(text, out var prefix) ? prefix : throw new FormatException($"'{text}' is not an IP prefix such as 10.244.0.0/16");

    public static bool TryParse(ReadOnlySpan<char> text, out IpPrefix prefix)
    {
        prefix = default;
        var slash = text.IndexOf('/');
        if (slash < 0
            || !IpAddress.TryParse(text[..slash], out var address)
            || !byte.TryParse(text[(slash + 1)..], System.Globalization.NumberStyles.None, null, out var length)
            || length > address.BitLength)
        {
            return false;
        }
        prefix = new IpPrefix(address, length);
        return true;
    }

    public int CompareTo(IpPrefix other)
    {
        var byAddress = Address.CompareTo(other.Address);
        return byAddress != 0 ? byAddress : Length.CompareTo(other.Length);
    }

    public override string ToString() => $"{Address}/{Length}";
}
