using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.TrafficControl;

/// <summary>The actions of one rule, with devices by ifindex (TCA_ACT_* of <c>linux/pkt_cls.h</c>).</summary>
/// <param name="Counted">What the first of them has seen; null: the kernel does not say.</param>
internal sealed record ActionList(ValueList<ActionMessage> Items, TrafficCount? Counted)
{
    internal const ushort TCA_ACT_KIND = 1;
    internal const ushort TCA_ACT_OPTIONS = 2;
    internal const ushort TCA_ACT_STATS = 4;
    internal const ushort TCA_ACT_COOKIE = 6;
    internal const ushort TCA_STATS_BASIC = 1;

    internal const ushort TCA_MIRRED_PARMS = 2; // and TCA_GACT_PARMS
    internal const ushort TCA_GACT_PROB = 3;

    public static ActionList None { get; } = new([], null);

    public static ActionList Parse(NetlinkAttribute nest)
    {
        var items = new List<ActionMessage>();
        TrafficCount? counted = null;
        foreach (var action in nest.Nested("TCA_ACT_TAB"))
        {
            var item = new ActionMessage("");
            foreach (var a in action.Nested("TCA_ACT"))
            {
                switch (a.Type)
                {
                    case TCA_ACT_KIND:
                        item = item with { Kind = a.Text(nameof(TCA_ACT_KIND)) };
                        break;
                    case TCA_ACT_OPTIONS when item.Kind is "mirred" or "gact":
                        item = ParseOptions(a, item);
                        break;
                    case TCA_ACT_COOKIE:
                        item = item with { Cookie = new ActionCookie(Convert.ToHexStringLower(a.Value)) };
                        break;
                    case TCA_ACT_STATS when items.Count == 0:
                        counted = ParseCount(a);
                        break;
                    default:
                        break;
                }
            }
            items.Add(item);
        }
        return new ActionList([.. items], counted);
    }

    public void Emit(NetlinkWriter writer, ushort type)
    {
        using var nest = writer.Nest(type);
        ushort order = 1;
        foreach (var item in Items)
        {
            using var action = writer.Nest(order++);
            writer.Text(TCA_ACT_KIND, item.Kind);
            using (writer.Nest(TCA_ACT_OPTIONS))
            {
                writer.Structure(TCA_MIRRED_PARMS, new MirredParameters { Action = (int)item.Then, To = (int)item.To, Index = (uint)item.Index });
            }
            if (item.Cookie is { } cookie)
            {
                writer.Bytes(TCA_ACT_COOKIE, Convert.FromHexString(cookie.Hex));
            }
        }
    }

    private static ActionMessage ParseOptions(NetlinkAttribute nest, ActionMessage item)
    {
        foreach (var a in nest.Nested("TCA_ACT_OPTIONS"))
        {
            if (a.Type == TCA_MIRRED_PARMS)
            {
                var isMirred = item.Kind == "mirred";
                var bytes = a.Structure(nameof(TCA_MIRRED_PARMS), isMirred ? Unsafe.SizeOf<MirredParameters>() : GenericBytes);
                item = item with { Then = (FilterVerdict)MemoryMarshal.Read<int>(bytes[8..]) };
                if (isMirred)
                {
                    var read = MemoryMarshal.Read<MirredParameters>(bytes);
                    item = item with { To = (MirredTo)read.To, Index = (int)read.Index };
                }
            }
            else if (a.Type == TCA_GACT_PROB && item.Kind == "gact")
            {
                // It decides by chance.
                item = item with { Kind = "gact random" };
            }
        }
        return item;
    }

    private static TrafficCount? ParseCount(NetlinkAttribute nest)
    {
        foreach (var a in nest.Nested(nameof(TCA_ACT_STATS)))
        {
            if (a.Type == TCA_STATS_BASIC)
            {
                var basic = a.Structure(nameof(TCA_STATS_BASIC), 12); // struct gnet_stats_basic: bytes in 64 bits, packets in 32
                return new TrafficCount(MemoryMarshal.Read<uint>(basic[8..]), MemoryMarshal.Read<ulong>(basic));
            }
        }
        return null;
    }

    private const int GenericBytes = 20;

    /// <summary><c>struct tc_mirred</c>, which begins with what all actions have (<c>tc_gen</c>: index to bindcnt).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MirredParameters
    {
        public uint OwnIndex;
        public uint Capabilities;
        public int Action;
        public int References;
        public int Bindings;
        public int To;
        public uint Index;
    }
}

/// <summary>One action as it stands in a message.</summary>
internal sealed record ActionMessage(string Kind)
{
    public FilterVerdict Then { get; init; }

    /// <summary>Of mirred.</summary>
    public MirredTo To { get; init; }

    /// <summary>Of mirred: the device's ifindex; 0: it is no more.</summary>
    public int Index { get; init; }

    public ActionCookie? Cookie { get; init; }
}
