using System.Buffers.Binary;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.TrafficControl;

/// <summary>
/// A rule of the classifier u32, or one of its hash tables (TCA_U32_* of <c>linux/pkt_cls.h</c>): frames are told apart by any four bytes of
/// them.
/// </summary>
internal sealed record U32Options
{
    internal const ushort TCA_U32_HASH = 2;
    internal const ushort TCA_U32_LINK = 3;
    internal const ushort TCA_U32_DIVISOR = 4;
    internal const ushort TCA_U32_SEL = 5;
    internal const ushort TCA_U32_ACT = 7;
    internal const ushort TCA_U32_INDEV = 8;
    internal const ushort TCA_U32_MARK = 10;
    internal const byte TC_U32_TERMINAL = 1;

    // struct tc_u32_sel, struct tc_u32_key
    private const int SelectorBytes = 16;
    private const int KeyBytes = 16;

    /// <summary>It is a hash table, and no rule.</summary>
    public bool IsTable { get; init; }

    /// <summary>The hash table that holds the rule, without its bucket.</summary>
    public uint Table { get; init; }

    /// <summary>Nothing but its keys decides, and what it finds goes no further: it leads to no other table, and asks for no mark or device.</summary>
    public bool IsPlain { get; init; } = true;

    public ValueList<FilterKey> Keys { get; init; }

    public ActionList Actions { get; init; } = ActionList.None;

    public static U32Options Parse(NetlinkAttribute nest)
    {
        var options = new U32Options();
        foreach (var a in nest.Nested("TCA_OPTIONS (u32)"))
        {
            options = a.Type switch
            {
                TCA_U32_DIVISOR => options with { IsTable = true },
                TCA_U32_HASH => options with { Table = a.U32(nameof(TCA_U32_HASH)) >> 20 },
                TCA_U32_SEL => ParseSelector(a, options),
                TCA_U32_ACT => options with { Actions = ActionList.Parse(a) },
                TCA_U32_LINK or TCA_U32_MARK or TCA_U32_INDEV => options with { IsPlain = false },
                _ => options,
            };
        }
        return options;
    }

    public void Emit(NetlinkWriter writer)
    {
        using var nest = writer.Nest(TrafficMessage.TCA_OPTIONS);
        Span<byte> selector = stackalloc byte[SelectorBytes + (KeyBytes * Math.Max(1, Keys.Count))];
        selector.Clear();
        selector[0] = TC_U32_TERMINAL;
        // No key would match nothing: one whose mask is empty matches all.
        selector[2] = (byte)Math.Max(1, Keys.Count);
        for (var i = 0; i < Keys.Count; i++)
        {
            var key = selector[(SelectorBytes + (KeyBytes * i))..];
            BinaryPrimitives.WriteUInt32BigEndian(key, Keys[i].Mask);
            BinaryPrimitives.WriteUInt32BigEndian(key[4..], Keys[i].Value);
            BitConverter.TryWriteBytes(key[8..], Keys[i].OffsetBytes);
        }
        writer.Bytes(TCA_U32_SEL, selector);
        Actions.Emit(writer, TCA_U32_ACT);
    }

    private static U32Options ParseSelector(NetlinkAttribute attribute, U32Options options)
    {
        var selector = attribute.Structure(nameof(TCA_U32_SEL), SelectorBytes);
        var count = selector[2];
        var isPlain = selector[0] == TC_U32_TERMINAL;
        var keys = new List<FilterKey>(count);
        var bytes = attribute.Structure(nameof(TCA_U32_SEL), SelectorBytes + (KeyBytes * count))[SelectorBytes..];
        for (; keys.Count < count; bytes = bytes[KeyBytes..])
        {
            var mask = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            // offmask: from a header that only the frame's own bytes say the place of (nexthdr+).
            isPlain &= BitConverter.ToInt32(bytes[12..]) == 0;
            keys.Add(new FilterKey(BitConverter.ToInt32(bytes[8..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]), mask));
        }
        keys.RemoveAll(static key => key.Mask == 0);
        return options with { IsPlain = options.IsPlain && isPlain, Keys = [.. keys] };
    }
}

/// <summary>The classifier that takes every frame (TCA_MATCHALL_*).</summary>
internal static class MatchAllOptions
{
    internal const ushort TCA_MATCHALL_ACT = 2;

    public static ActionList Parse(NetlinkAttribute nest)
    {
        foreach (var a in nest.Nested("TCA_OPTIONS (matchall)"))
        {
            if (a.Type == TCA_MATCHALL_ACT)
            {
                return ActionList.Parse(a);
            }
        }
        return ActionList.None;
    }
}
