using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>NFT_SET_*, as far as a person states them; <c>map</c>, <c>object</c>, <c>concat</c> and <c>expr</c> follow from the rest.</summary>
[Flags]
public enum SetFlags : uint
{
    None = 0,

    /// <summary>Elements never change after the transaction that makes the set.</summary>
    Constant = 0x02,

    /// <summary>Elements may be ranges and prefixes.</summary>
    Interval = 0x04,
    Timeout = 0x10,

    /// <summary>NFT_SET_EVAL: packets may add elements.</summary>
    Dynamic = 0x20,
}

/// <summary>One component of a set's key or of a map's data.</summary>
/// <param name="Typeof">Where values come from, when the set is declared by <c>typeof</c>; needed for types without a width of their own.</param>
public sealed record SetField(DataType Type, int Bits, Selector? Typeof = null)
{
    public static implicit operator SetField(DataType type) => Of(type);

    public static implicit operator SetField(Selector selector) => Of(selector);

    public static SetField Of(DataType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.Bits > 0 ? new(type, type.Bits) : throw new ArgumentException($"the type {type} has no width: name what values come from instead");
    }

    public static SetField Of(Selector selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return new(selector.Type, selector.Bits, selector);
    }

    public int Bytes => (Bits + 7) / 8;

    /// <summary>Bytes within a concatenation, where each component begins at a new 32-bit slot.</summary>
    public int PaddedBytes => (Bytes + 3) & ~3;

    public ByteOrder Order => Typeof?.Order ?? Type.Order;
}

/// <summary>What a map gives for a key.</summary>
public abstract record MapData
{
    /// <summary>Values that a register takes.</summary>
    public sealed record Fields(ValueList<SetField> Items) : MapData;

    /// <summary>A verdict map.</summary>
    public sealed record Verdicts : MapData;

    /// <summary>Named counters, quotas, limits.</summary>
    public sealed record Objects(ObjectKind Kind) : MapData;
}

/// <summary>What an element of a set must look like. One object is shared by all elements of a set.</summary>
public sealed record SetSchema(TableId Table, string Name, ValueList<SetField> Key)
{
    public MapData? Data { get; init; }

    public SetFlags Flags { get; init; }

    public bool IsInterval => (Flags & SetFlags.Interval) != 0;

    public bool IsConcatenation => Key.Count > 1;

    public int KeyBytes => Bytes(Key);

    /// <summary>
    /// How a component stands in an element. The kernel compares the ends of intervals as memcmp does, so numbers in host order are
    /// turned round for them.
    /// </summary>
    public ByteOrder KeyOrder(int component)
    {
        var field = Key[component];
        return IsInterval && !field.Type.IsText ? ByteOrder.Big : field.Order;
    }

    public static int Bytes(ValueList<SetField> fields)
    {
        if (fields.Count == 1)
        {
            return fields[0].Bytes;
        }
        var bytes = 0;
        foreach (var field in fields)
        {
            bytes += field.PaddedBytes;
        }
        return bytes;
    }
}
