using Plumb.Linux.Netlink;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Rtnetlink;

/// <summary>The number by which one namespace knows another (RTM_NEWNSID, _GETNSID): <c>struct rtgenmsg</c> and NETNSA_* of <c>linux/net_namespace.h</c>.</summary>
public sealed record NamespaceIdMessage
{
    internal const ushort NETNSA_NSID = 1;
    internal const ushort NETNSA_FD = 3;

    /// <summary>NETNSA_NSID_NOT_ASSIGNED: the namespace has no number here.</summary>
    public const int NotAssigned = -1;

    public int? Number { get; init; }

    /// <summary>A descriptor of the namespace, in requests.</summary>
    public int? Descriptor { get; init; }

    public UnknownAttributes Unknown { get; init; }

    public static NamespaceIdMessage Parse(ReadOnlySpan<byte> payload, bool keepUnknown = false)
    {
        _ = WireHeader.Read<byte>(payload, "struct rtgenmsg", out var attributes);
        int? number = null;
        int? descriptor = null;
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in new AttributeReader(attributes, "RTM_NEWNSID"))
        {
            switch (a.Type)
            {
                case NETNSA_NSID:
                    number = a.S32(nameof(NETNSA_NSID));
                    break;
                case NETNSA_FD:
                    descriptor = a.S32(nameof(NETNSA_FD));
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return new NamespaceIdMessage { Number = number, Descriptor = descriptor, Unknown = unknown?.Take() ?? default };
    }

    internal void Emit(NetlinkWriter writer, ushort type)
    {
        using (writer.Message(type))
        {
            writer.Structure(AF_UNSPEC);
            if (Number is { } number)
            {
                writer.S32(NETNSA_NSID, number);
            }
            if (Descriptor is { } descriptor)
            {
                writer.S32(NETNSA_FD, descriptor);
            }
            Unknown.Emit(writer);
        }
    }
}
