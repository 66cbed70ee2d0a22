using System;

namespace Plumb.Cni;

/// <summary>Bytes that stand somewhere: in the program itself, in the environment, in <see cref="Octets"/>.</summary>
internal readonly unsafe struct Text(byte* start, nint length)
{
    public byte* Start { get; } = start;

    public nint Length { get; } = length;

    public bool IsEmpty => Length == 0;

    /// <summary>Behind the end stands a NUL, as behind C's.</summary>
    public byte this[nint i] => (nuint)i < (nuint)Length ? Start[i] : (byte)0;

    public static implicit operator Text(ReadOnlySpan<byte> literal)
    {
        fixed (byte* start = literal)
        {
            return new(start, literal.Length);
        }
    }

    public static Text UpToNul(byte* start)
    {
        nint length = 0;
        while (start[length] != 0)
        {
            length++;
        }
        return new(start, length);
    }

    public Text From(nint i) => i < Length ? new(Start + i, Length - i) : default;

    public Text UpTo(nint length) => length < Length ? new(Start, length) : this;

    public bool StartsWith(Text other)
    {
        if (other.Length > Length)
        {
            return false;
        }
        for (nint i = 0; i < other.Length; i++)
        {
            if (Start[i] != other.Start[i])
            {
                return false;
            }
        }
        return true;
    }

    public bool Is(Text other) => Length == other.Length && StartsWith(other);

    /// <summary>−1: it is not in it.</summary>
    public nint Find(Text other)
    {
        for (nint i = 0; i + other.Length <= Length; i++)
        {
            if (From(i).StartsWith(other))
            {
                return i;
            }
        }
        return -1;
    }

    public void CopyTo(byte* into)
    {
        for (nint i = 0; i < Length; i++)
        {
            into[i] = Start[i];
        }
    }
}
