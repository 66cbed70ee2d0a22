using System.Buffers.Binary;

namespace Plumb.Linux.Nftables;

/// <summary>How a value of several bytes stands in a register.</summary>
public enum ByteOrder : byte
{
    /// <summary>Concatenations, verdicts: the question has no answer.</summary>
    None = 0,

    /// <summary>The machine's own, as marks and interface numbers are kept.</summary>
    Host = 1,

    /// <summary>Network order, as packets carry addresses and ports.</summary>
    Big = 2,
}

/// <summary>Immutable bytes with value equality: what a register, an element's key or its data holds, exactly as the kernel has it.</summary>
public readonly struct Octets : IEquatable<Octets>, IComparable<Octets>
{
    private readonly byte[]? _bytes;

    public Octets(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    private Octets(byte[] owned) => _bytes = owned;

    public ReadOnlySpan<byte> Span => _bytes;

    public int Length => _bytes?.Length ?? 0;

    public bool IsEmpty => Length == 0;

    public bool IsAllZero => Span.IndexOfAnyExcept((byte)0) < 0;

    public static Octets From(UInt128 number, int lengthBytes, ByteOrder order)
    {
        var bytes = new byte[lengthBytes];
        Write(bytes, number, order);
        return new Octets(bytes);
    }

    public static Octets Adopt(byte[] bytes) => new(bytes);

    public static void Write(Span<byte> destination, UInt128 number, ByteOrder order)
    {
        Span<byte> big = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(big, number);
        big[^destination.Length..].CopyTo(destination);
        if (order == ByteOrder.Host && BitConverter.IsLittleEndian)
        {
            destination.Reverse();
        }
    }

    /// <summary>The first <paramref name="lengthBytes"/> (at most 16) as an unsigned number.</summary>
    public static UInt128 Number(ReadOnlySpan<byte> bytes, ByteOrder order)
    {
        UInt128 number = 0;
        if (order == ByteOrder.Host && BitConverter.IsLittleEndian)
        {
            for (var i = bytes.Length - 1; i >= 0; i--)
            {
                number = (number << 8) | bytes[i];
            }
        }
        else
        {
            foreach (var b in bytes)
            {
                number = (number << 8) | b;
            }
        }
        return number;
    }

    public UInt128 ToNumber(ByteOrder order) => Number(Span, order);

    public bool Equals(Octets other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is Octets other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>As memcmp orders them, which is how the kernel orders intervals.</summary>
    public int CompareTo(Octets other) => Span.SequenceCompareTo(other.Span);

    public static bool operator ==(Octets left, Octets right) => left.Equals(right);

    public static bool operator !=(Octets left, Octets right) => !left.Equals(right);

    public override string ToString() => Convert.ToHexStringLower(Span);
}
