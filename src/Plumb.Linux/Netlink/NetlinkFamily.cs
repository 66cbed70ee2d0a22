namespace Plumb.Linux.Netlink;

/// <summary>Which part of the kernel a netlink socket talks to (NETLINK_* of <c>linux/netlink.h</c>).</summary>
public enum NetlinkFamily
{
    /// <summary>NETLINK_ROUTE: links, addresses, routes, rules, neighbours.</summary>
    Route = 0,

    /// <summary>NETLINK_SOCK_DIAG: open sockets.</summary>
    SocketDiagnosis = 4,

    /// <summary>NETLINK_NETFILTER: nftables, conntrack, logging.</summary>
    Netfilter = 12,

    /// <summary>NETLINK_GENERIC: families that have no number of their own.</summary>
    Generic = 16,
}

/// <summary>nlmsg_flags. Which of those beyond <see cref="Dump"/> hold depends on whether the message gets, makes or deletes.</summary>
[Flags]
public enum NetlinkFlags : ushort
{
    None = 0,

    /// <summary>NLM_F_REQUEST</summary>
    Request = 0x01,

    /// <summary>NLM_F_MULTI: one of several, ended by NLMSG_DONE.</summary>
    Multi = 0x02,

    /// <summary>NLM_F_ACK</summary>
    Acknowledge = 0x04,

    /// <summary>NLM_F_ECHO: send back what was made.</summary>
    Echo = 0x08,

    /// <summary>NLM_F_DUMP_INTR: the table changed under the dump.</summary>
    DumpInterrupted = 0x10,

    /// <summary>NLM_F_ROOT | NLM_F_MATCH</summary>
    Dump = 0x300,

    /// <summary>NLM_F_REPLACE, of a message that makes something</summary>
    Replace = 0x100,

    /// <summary>NLM_F_EXCL, of a message that makes something</summary>
    Exclusive = 0x200,

    /// <summary>NLM_F_CREATE</summary>
    Create = 0x400,

    /// <summary>NLM_F_APPEND</summary>
    Append = 0x800,

    /// <summary>NLM_F_CAPPED, of an error: the request is not repeated in it.</summary>
    Capped = 0x100,

    /// <summary>NLM_F_ACK_TLVS, of an error: extended-ACK attributes follow.</summary>
    AcknowledgeAttributes = 0x200,
}

/// <summary>Message types that every family has (<c>linux/netlink.h</c>).</summary>
internal static class NetlinkControl
{
    public const ushort NLMSG_NOOP = 1;
    public const ushort NLMSG_ERROR = 2;
    public const ushort NLMSG_DONE = 3;
    public const ushort NLMSG_OVERRUN = 4;

    public const ushort NLMSGERR_ATTR_MSG = 1;
    public const ushort NLMSGERR_ATTR_OFFS = 2;

    /// <summary><c>sizeof(struct nlmsghdr)</c></summary>
    public const int HeaderBytes = 16;

    /// <summary><c>sizeof(struct nlattr)</c></summary>
    public const int AttributeHeaderBytes = 4;

    public const ushort NLA_F_NESTED = 0x8000;
    public const ushort NLA_F_NET_BYTEORDER = 0x4000;
    public const ushort AttributeTypeMask = 0x3fff;

    /// <summary>Messages and attributes begin at multiples of four bytes.</summary>
    public static int Align(int length) => (length + 3) & ~3;
}
