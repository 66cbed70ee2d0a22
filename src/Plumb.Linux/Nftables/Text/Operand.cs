using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Text;

/// <summary>What a register holds at some point of a rule, as far as it can be told.</summary>
internal sealed record Operand(string Text, DataType Type, int Bits, ByteOrder Order)
{
    /// <summary>A constant put there by <c>immediate</c>.</summary>
    public Octets? Constant { get; init; }

    /// <summary>The field that the load is the beginning of: a comparison is with a prefix of it.</summary>
    public HeaderField? Beginning { get; init; }

    /// <summary>What a <c>bitwise</c> has done to it: mask and exclusive or.</summary>
    public (UInt128 Mask, UInt128 Xor)? Bitwise { get; init; }

    /// <summary>A byte or more of a header of which only some bits have a name.</summary>
    public (Header Header, int OffsetBits)? Raw { get; init; }

    /// <summary>Data of a map of concatenations, as the map says.</summary>
    public ValueList<SetField> MapFields { get; init; }

    /// <summary>Elements that this is compared with stand so many bits higher: nft does not shift what it masks.</summary>
    public int ShiftBits { get; init; }

    public bool IsMapped { get; init; }

    public int Bytes => (Bits + 7) / 8;

    public static Operand Of(Selector selector) => new(selector.Text, selector.Type, selector.Bits, selector.Order);

    public string WithBitwise => Bitwise is { } bitwise ? BitwiseText.Of(Text, bitwise.Mask, bitwise.Xor, Type, Bits) : Text;
}
