using System.Runtime.InteropServices;

namespace Plumb.Dns.Wire;

/// <summary>Compares names in wire form and lower case, as they stand in tables, and lets spans be looked up among them.</summary>
internal sealed class NameComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    // Of the golden ratio, as in Fibonacci hashing.
    private const ulong Factor = 0x9e37_79b9_7f4a_7c15;

    // Who may name Services may choose names that collide; what they gain is slow answers to their own names.
    private static readonly ulong Seed = ((ulong)(uint)HashCode.Combine(0) << 32) | (uint)HashCode.Combine(1);

    private NameComparer()
    {
    }

    public static NameComparer Instance { get; } = new();

    public static int HashOf(ReadOnlySpan<byte> name)
    {
        var hash = Seed ^ (ulong)name.Length;
        while (name.Length >= sizeof(ulong))
        {
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(name));
            name = name[sizeof(ulong)..];
        }
        ulong tail = 0;
        for (var i = 0; i < name.Length; i++)
        {
            tail = (tail << 8) | name[i];
        }
        return (int)(Mix(hash ^ tail) >> 32);
    }

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => HashOf(obj);

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => HashOf(alternate);

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    private static ulong Mix(ulong value)
    {
        value *= Factor;
        return value ^ (value >> 29);
    }
}
