using System.Runtime.Intrinsics;

namespace Plumb.Dns.Wire;

/// <summary>
/// Names as messages carry them (RFC 1035, section 3.1): labels, each behind its length in one byte, and a zero. Nothing here allocates
/// or throws, whatever the bytes are.
/// </summary>
/// <remarks>A length is at most 63 and 'A' is 65: folding a whole name's case leaves the lengths as they are.</remarks>
internal static class WireName
{
    /// <summary>The longest name, closing zero included.</summary>
    public const int MostBytes = 255;

    public const int MostLabelBytes = 63;

    private const byte PointerMark = 0xc0;

    /// <summary>Reads a name without compression, as questions have it, in lower case.</summary>
    /// <param name="lower">Room for <see cref="MostBytes"/>.</param>
    /// <returns>Bytes taken, the closing zero included; 0: it is no name.</returns>
    public static int ReadPlain(ReadOnlySpan<byte> message, int offset, Span<byte> lower)
    {
        for (var at = offset; at < message.Length && at - offset < MostBytes;)
        {
            int label = message[at];
            if (label == 0)
            {
                var length = at + 1 - offset;
                Fold(message.Slice(offset, length), lower);
                return length;
            }
            if (label > MostLabelBytes)
            {
                return 0;
            }
            at += label + 1;
        }
        return 0;
    }

    /// <summary>Reads a name that may be compressed (RFC 1035, section 4.1.4) and writes it out whole, case kept.</summary>
    /// <param name="name">Room for <see cref="MostBytes"/>.</param>
    /// <param name="next">Where the message goes on behind the name.</param>
    /// <returns>Bytes written; 0: it is no name.</returns>
    public static int Expand(ReadOnlySpan<byte> message, int offset, Span<byte> name, out int next)
    {
        next = -1;
        var (at, written, lowest) = (offset, 0, offset);
        while ((uint)at < (uint)message.Length)
        {
            int label = message[at];
            if (label <= MostLabelBytes)
            {
                if (at + 1 + label > message.Length || written + 1 + label > MostBytes)
                {
                    return 0;
                }
                message.Slice(at, 1 + label).CopyTo(name[written..]);
                (at, written) = (at + 1 + label, written + 1 + label);
                if (label == 0)
                {
                    next = next < 0 ? at : next;
                    return written;
                }
                continue;
            }
            if (label < PointerMark || at + 1 >= message.Length)
            {
                return 0;
            }
            next = next < 0 ? at + 2 : next;
            at = ((label & ~PointerMark) << 8) | message[at + 1];
            // Each pointer leads further back than all before it: a loop cannot be.
            if (at >= lowest)
            {
                return 0;
            }
            lowest = at;
        }
        return 0;
    }

    /// <summary>Where the message goes on behind a name, whose pointers are not followed; −1: it is no name.</summary>
    public static int Skip(ReadOnlySpan<byte> message, int offset)
    {
        for (var at = offset; at < message.Length && at - offset < MostBytes;)
        {
            int label = message[at];
            if (label == 0)
            {
                return at + 1;
            }
            if (label >= PointerMark)
            {
                return at + 2 <= message.Length ? at + 2 : -1;
            }
            if (label > MostLabelBytes)
            {
                return -1;
            }
            at += label + 1;
        }
        return -1;
    }

    /// <summary>Writes a name in lower case.</summary>
    public static void Fold(ReadOnlySpan<byte> name, Span<byte> lower)
    {
        var i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i + Vector128<byte>.Count <= name.Length; i += Vector128<byte>.Count)
            {
                var bytes = Vector128.Create(name.Slice(i, Vector128<byte>.Count));
                var isUpper = Vector128.LessThanOrEqual(bytes - Vector128.Create((byte)'A'), Vector128.Create((byte)('Z' - 'A')));
                (bytes | (isUpper & Vector128.Create((byte)0x20))).CopyTo(lower[i..]);
            }
        }
        for (; i < name.Length; i++)
        {
            var b = name[i];
            lower[i] = (uint)(b - 'A') <= 'Z' - 'A' ? (byte)(b | 0x20) : b;
        }
    }

    public static bool EqualsIgnoringCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }
        if (left.SequenceEqual(right))
        {
            return true;
        }
        for (var i = 0; i < left.Length; i++)
        {
            var (a, b) = (left[i], right[i]);
            if (a != b && ((a ^ b) != 0x20 || (uint)((a | 0x20) - 'a') > 'z' - 'a'))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The name without its first label; the root has none and is returned as it is.</summary>
    public static ReadOnlySpan<byte> Parent(ReadOnlySpan<byte> name) => name[0] == 0 ? name : name[(name[0] + 1)..];

    /// <summary>Number of labels, the root's not counted.</summary>
    public static int Labels(ReadOnlySpan<byte> name)
    {
        var count = 0;
        for (; name[0] != 0; name = Parent(name))
        {
            count++;
        }
        return count;
    }

    /// <summary>Whether the name is <paramref name="suffix"/> or ends in it, at the edge of a label.</summary>
    public static bool IsWithin(ReadOnlySpan<byte> name, ReadOnlySpan<byte> suffix)
    {
        while (name.Length > suffix.Length)
        {
            name = Parent(name);
        }
        return name.SequenceEqual(suffix);
    }
}
