using System.Buffers.Binary;
using System.Numerics;

namespace Plumb.Diagnosis.Rules;

/// <summary>Bob Jenkins' hash as the kernel has it (<c>include/linux/jhash.h</c>), and the kernel's way from a hash to a range.</summary>
internal static class JenkinsHash
{
    private const uint JHASH_INITVAL = 0xdeadbeef;
    private const int BlockBytes = 12;

    public static uint Of(ReadOnlySpan<byte> key, uint seed)
    {
        uint a, b, c;
        a = b = c = unchecked(JHASH_INITVAL + (uint)key.Length + seed);
        while (key.Length > BlockBytes)
        {
            unchecked
            {
                a += Word(key, 0);
                b += Word(key, 4);
                c += Word(key, 8);
            }
            Mix(ref a, ref b, ref c);
            key = key[BlockBytes..];
        }
        if (key.IsEmpty)
        {
            return c;
        }
        Span<byte> last = stackalloc byte[BlockBytes];
        last.Clear();
        key.CopyTo(last);
        unchecked
        {
            a += Word(last, 0);
            b += Word(last, 4);
            c += Word(last, 8);
        }
        return Final(a, b, c);
    }

    /// <summary>reciprocal_scale</summary>
    public static uint Scale(uint number, uint modulus) => (uint)(((ulong)number * modulus) >> 32);

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static void Mix(ref uint a, ref uint b, ref uint c)
    {
        unchecked
        {
            a -= c; a ^= BitOperations.RotateLeft(c, 4); c += b;
            b -= a; b ^= BitOperations.RotateLeft(a, 6); a += c;
            c -= b; c ^= BitOperations.RotateLeft(b, 8); b += a;
            a -= c; a ^= BitOperations.RotateLeft(c, 16); c += b;
            b -= a; b ^= BitOperations.RotateLeft(a, 19); a += c;
            c -= b; c ^= BitOperations.RotateLeft(b, 4); b += a;
        }
    }

    private static uint Final(uint a, uint b, uint c)
    {
        unchecked
        {
            c ^= b; c -= BitOperations.RotateLeft(b, 14);
            a ^= c; a -= BitOperations.RotateLeft(c, 11);
            b ^= a; b -= BitOperations.RotateLeft(a, 25);
            c ^= b; c -= BitOperations.RotateLeft(b, 16);
            a ^= c; a -= BitOperations.RotateLeft(c, 4);
            b ^= a; b -= BitOperations.RotateLeft(a, 14);
            c ^= b; c -= BitOperations.RotateLeft(b, 24);
        }
        return c;
    }
}
