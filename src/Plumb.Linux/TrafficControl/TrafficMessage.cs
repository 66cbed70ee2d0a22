using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.TrafficControl;

/// <summary>A queueing discipline or a filter (RTM_NEWQDISC, RTM_NEWTFILTER and their like): <c>struct tcmsg</c> and TCA_* of <c>linux/rtnetlink.h</c>.</summary>
internal sealed record TrafficMessage
{
    internal const ushort TCA_KIND = 1;
    internal const ushort TCA_OPTIONS = 2;
    internal const ushort TCA_CHAIN = 11;

    public int Index { get; init; }

    /// <summary>Of a qdisc its own number, 0: the kernel has attached it by itself. Of a filter the rule's within the classifier.</summary>
    public uint Handle { get; init; }

    public TrafficHandle Parent { get; init; }

    /// <summary>Of a filter: preference and protocol.</summary>
    public ushort Preference { get; init; }

    public EtherType Protocol { get; init; }

    public string Kind { get; init; } = "";

    public uint Chain { get; init; }

    /// <summary>Of a u32 filter; null: none came.</summary>
    public U32Options? U32 { get; init; }

    /// <summary>Of a matchall filter; null: none came.</summary>
    public ActionList? MatchAll { get; init; }

    /// <summary>Of a tbf; null: none came, or one that no <see cref="TrafficControl.TokenBucket"/> says all of.</summary>
    public TokenBucket? TokenBucket { get; init; }

    /// <exception cref="NetlinkDecodeException">It is too short, or an attribute has the wrong length.</exception>
    public static TrafficMessage Parse(ReadOnlySpan<byte> payload)
    {
        var header = WireHeader.Read<Header>(payload, "struct tcmsg", out var attributes);
        var message = new TrafficMessage
        {
            Index = header.Index,
            Handle = header.Handle,
            Parent = new TrafficHandle(header.Parent),
            Preference = (ushort)(header.Info >> 16),
            Protocol = new EtherType(BinaryPrimitives.ReverseEndianness((ushort)header.Info)),
        };
        foreach (var a in new AttributeReader(attributes, "RTM_NEWTFILTER"))
        {
            // The kind comes before the options, which are read by it.
            message = a.Type switch
            {
                TCA_KIND => message with { Kind = Known(a.Text(nameof(TCA_KIND))) },
                TCA_CHAIN => message with { Chain = a.U32(nameof(TCA_CHAIN)) },
                TCA_OPTIONS when message.Kind == FilterEntry.U32 => message with { U32 = U32Options.Parse(a) },
                TCA_OPTIONS when message.Kind == FilterEntry.MatchAll => message with { MatchAll = MatchAllOptions.Parse(a) },
                TCA_OPTIONS when message.Kind == QdiscEntry.TokenBucketFilter => message with { TokenBucket = TokenBucketOptions.Parse(a) },
                _ => message,
            };
        }
        return message;
    }

    public void Emit(NetlinkWriter writer, ushort type, NetlinkFlags flags = NetlinkFlags.None)
    {
        using (writer.Message(type, flags))
        {
            writer.Structure(new Header
            {
                Index = Index,
                Handle = Handle,
                Parent = Parent.Number,
                Info = ((uint)Preference << 16) | BinaryPrimitives.ReverseEndianness(Protocol.Number),
            });
            if (Kind.Length != 0)
            {
                writer.Text(TCA_KIND, Kind);
            }
            if (Chain != 0)
            {
                writer.U32(TCA_CHAIN, Chain);
            }
            U32?.Emit(writer);
            if (TokenBucket is { } bucket)
            {
                TokenBucketOptions.Emit(bucket, writer);
            }
        }
    }

    /// <summary>A request for all queueing disciplines of the namespace.</summary>
    public static void EmitQdiscDump(NetlinkWriter writer)
    {
        using (writer.Message(RTM_GETQDISC, NetlinkFlags.Dump))
        {
            writer.Structure(default(Header));
        }
    }

    /// <summary>A request for a device's filters at one place.</summary>
    public static void EmitFilterDump(NetlinkWriter writer, int index, TrafficHandle parent)
    {
        using (writer.Message(RTM_GETTFILTER, NetlinkFlags.Dump))
        {
            writer.Structure(new Header { Index = index, Parent = parent.Number });
        }
    }

    private static string Known(string kind) => string.IsInterned(kind) ?? kind;

    /// <summary><c>struct tcmsg</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public byte Family;
        public byte Padding1;
        public ushort Padding2;
        public int Index;
        public uint Handle;
        public uint Parent;
        public uint Info;
    }
}
