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

    public static IpPrefix Everything(IpFamily family) => new(IpAddress.Unspecified(family), 0);

    /// <summary>The same prefix with all host bits zero.</summary>
    public IpPrefix Network => new(First, Length);

    /// <summary>The lowest address inside.</summary>
    public IpAddress First
    {
        get
        {
            var (high, low) = Address.Halves;
            var host = HostMask;
            return new(Family, high & ~host.High, low & ~host.Low);
        }
    }

    /// <summary>The highest address inside (an IPv4 network's broadcast address).</summary>
    public IpAddress Last
    {
        get
        {
            var (high, low) = Address.Halves;
            var host = HostMask;
            return new(Family, high | host.High, low | host.Low);
        }
    }

    public bool IsHost => Length == Address.BitLength;

    private (ulong High, ulong Low) HostMask
    {
        get
        {
            var hostBits = Address.BitLength - Length;
            return hostBits > 64 ? (Ones(hostBits - 64), ulong.MaxValue) : (0, Ones(hostBits));
        }
    }

    /// <summary>One of the equal parts of this network, counted from 0.</summary>
    /// <param name="length">Of the part: at least this prefix's own.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such part.</exception>
    public IpPrefix Part(int length, uint index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Address.BitLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)index, Ones(Math.Min(length - Length, 64)));
        var shift = Address.BitLength - length;
        var (high, low) = First.Halves;
        high |= shift >= 64 ? (ulong)index << (shift - 64) : shift > 0 ? (ulong)index >> (64 - shift) : 0;
        low |= shift >= 64 ? 0 : (ulong)index << shift;
        return new(new IpAddress(Family, high, low), length);
    }

    public bool Contains(IpAddress address) => address.Family == Family && new IpPrefix(address, Length).First == First;

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

    private static ulong Ones(int count) => count == 64 ? ulong.MaxValue : (1ul << count) - 1;

    public int CompareTo(IpPrefix other)
    {
        var byAddress = Address.CompareTo(other.Address);
        return byAddress != 0 ? byAddress : Length.CompareTo(other.Length);
    }

    public override string ToString() => string.Concat(Address.ToString(), "/", Length.ToString());
}
