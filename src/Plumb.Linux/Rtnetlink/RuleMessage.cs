using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>A routing rule (RTM_NEWRULE, _DELRULE): <c>struct fib_rule_hdr</c> and FRA_* of <c>linux/fib_rules.h</c>.</summary>
public sealed record RuleMessage
{
    internal const ushort FRA_DST = 1;
    internal const ushort FRA_SRC = 2;
    internal const ushort FRA_IIFNAME = 3;
    internal const ushort FRA_PRIORITY = 6;
    internal const ushort FRA_FWMARK = 10;
    internal const ushort FRA_TABLE = 15;
    internal const ushort FRA_FWMASK = 16;
    internal const ushort FRA_OIFNAME = 17;
    internal const ushort FRA_PROTOCOL = 21;
    internal const uint FIB_RULE_INVERT = 2;

    public IpFamily Family { get; init; }

    public byte Tos { get; init; }

    public RuleAction Action { get; init; }

    /// <summary>FIB_RULE_*</summary>
    public uint Flags { get; init; }

    public uint Priority { get; init; }

    public IpPrefix? Source { get; init; }

    public IpPrefix? Destination { get; init; }

    public string? InputDevice { get; init; }

    public string? OutputDevice { get; init; }

    public FirewallMark? Mark { get; init; }

    public RouteTable Table { get; init; }

    public RouteProtocol? Protocol { get; init; }

    public UnknownAttributes Unknown { get; init; }

    public static RuleMessage Parse(ReadOnlySpan<byte> payload, bool keepUnknown = false)
    {
        var header = WireHeader.Read<Header>(payload, "struct fib_rule_hdr", out var attributes);
        IpPrefix? source = null;
        IpPrefix? destination = null;
        string? input = null;
        string? output = null;
        uint priority = 0;
        uint table = header.Table;
        uint? mark = null;
        uint? mask = null;
        RouteProtocol? protocol = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in new AttributeReader(attributes, "RTM_NEWRULE"))
        {
            switch (a.Type)
            {
                case FRA_SRC:
                    source = Prefix(a, nameof(FRA_SRC), header.SourceLength);
                    break;
                case FRA_DST:
                    destination = Prefix(a, nameof(FRA_DST), header.DestinationLength);
                    break;
                case FRA_IIFNAME:
                    input = a.Text(nameof(FRA_IIFNAME));
                    break;
                case FRA_OIFNAME:
                    output = a.Text(nameof(FRA_OIFNAME));
                    break;
                case FRA_PRIORITY:
                    priority = a.U32(nameof(FRA_PRIORITY));
                    break;
                case FRA_TABLE:
                    table = a.U32(nameof(FRA_TABLE));
                    break;
                case FRA_FWMARK:
                    mark = a.U32(nameof(FRA_FWMARK));
                    break;
                case FRA_FWMASK:
                    mask = a.U32(nameof(FRA_FWMASK));
                    break;
                case FRA_PROTOCOL:
                    protocol = new RouteProtocol(a.U8(nameof(FRA_PROTOCOL)));
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return new RuleMessage
        {
            Family = (IpFamily)header.Family, Tos = header.Tos, Action = (RuleAction)header.Action, Flags = header.Flags, Priority = priority,
            Source = source, Destination = destination, InputDevice = input, OutputDevice = output, Table = new RouteTable(table),
            // The kernel tells a mask with mark 0 for a rule without mark only when it was given one.
            Mark = mark is null && mask is null or 0 ? null : new FirewallMark(mark ?? 0, mask ?? uint.MaxValue),
            Protocol = protocol, Unknown = unknown?.Take() ?? default,
        };
    }

    internal void Emit(NetlinkWriter writer, ushort type, NetlinkFlags flags = NetlinkFlags.None)
    {
        using (writer.Message(type, flags))
        {
            writer.Structure(new Header
            {
                Family = (byte)Family,
                DestinationLength = Destination?.Length ?? 0,
                SourceLength = Source?.Length ?? 0,
                Tos = Tos,
                Table = Table.Number < 256 ? (byte)Table.Number : (byte)0,
                Action = (byte)Action,
                Flags = Flags,
            });
            writer.U32(FRA_PRIORITY, Priority);
            if (Source is { } source)
            {
                writer.Ip(FRA_SRC, source.Address);
            }
            if (Destination is { } destination)
            {
                writer.Ip(FRA_DST, destination.Address);
            }
            if (InputDevice is { } input)
            {
                writer.Text(FRA_IIFNAME, input);
            }
            if (OutputDevice is { } output)
            {
                writer.Text(FRA_OIFNAME, output);
            }
            if (Mark is { } mark)
            {
                writer.U32(FRA_FWMARK, mark.Value);
                writer.U32(FRA_FWMASK, mark.Mask);
            }
            if (Table.Number > byte.MaxValue)
            {
                writer.U32(FRA_TABLE, Table.Number);
            }
            if (Protocol is { } protocol)
            {
                writer.U8(FRA_PROTOCOL, protocol.Number);
            }
            Unknown.Emit(writer);
        }
    }

    internal static void EmitDump(NetlinkWriter writer, IpFamily family)
    {
        using (writer.Message(RTM_GETRULE, NetlinkFlags.Dump))
        {
            writer.Structure(new Header { Family = (byte)family });
        }
    }

    private static IpPrefix Prefix(NetlinkAttribute attribute, string name, byte length)
    {
        var address = attribute.Ip(name);
        return length <= address.BitLength
            ? new IpPrefix(address, length)
            : throw new NetlinkDecodeException(name, $"has a prefix length of {length}", attribute.Value);
    }

    /// <summary><c>struct fib_rule_hdr</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public byte Family;
        public byte DestinationLength;
        public byte SourceLength;
        public byte Tos;
        public byte Table;
        public byte Reserved1;
        public byte Reserved2;
        public byte Action;
        public uint Flags;
    }
}
