using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Tracing;

/// <summary>By what a packet is known wherever it is, though its addresses and ports be rewritten: bytes of what follows its IP header.</summary>
/// <param name="Protocol">IPPROTO_*.</param>
public sealed record PacketSign(byte Protocol, ValueList<HeaderTest> Tests)
{
    /// <summary>Whether a packet bears it, as far as its bytes are at hand.</summary>
    /// <param name="transport">From the transport header on; perhaps cut.</param>
    public bool IsOn(byte protocol, ReadOnlySpan<byte> transport)
    {
        if (protocol != Protocol)
        {
            return false;
        }
        foreach (var test in Tests)
        {
            if (!test.Holds(transport))
            {
                return false;
            }
        }
        return true;
    }
}

/// <summary>Bytes that a header has at an offset; or, with <paramref name="AnyOf"/>, one byte that has at least one of these bits.</summary>
/// <param name="OffsetBytes">From the transport header, at most 255 (older kernels keep it in a byte).</param>
public sealed record HeaderTest(int OffsetBytes, Octets Value, byte? AnyOf = null)
{
    public bool Holds(ReadOnlySpan<byte> transport)
    {
        var length = AnyOf is null ? Value.Length : 1;
        if (transport.Length < OffsetBytes + length)
        {
            // It was cut off before.
            return true;
        }
        var there = transport.Slice(OffsetBytes, length);
        return AnyOf is { } bits ? (there[0] & bits) != 0 : there.SequenceEqual(Value.Span);
    }
}
