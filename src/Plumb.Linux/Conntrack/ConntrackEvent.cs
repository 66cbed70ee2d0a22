using Plumb.Linux.Netlink;

namespace Plumb.Linux.Conntrack;

/// <summary>What the kernel tells of a connection that it remembers.</summary>
public enum ConntrackChange
{
    /// <summary>Its first packet got through all hooks: from here on it is remembered.</summary>
    New = 1,
    Update,

    /// <summary>Timed out, deleted, or ended.</summary>
    Destroy,
}

/// <summary>A notification of connection tracking.</summary>
public sealed record ConntrackEvent(ConntrackChange Change, ConntrackEntry Entry)
{
    private const uint NFNLGRP_CONNTRACK_NEW = 1;
    private const uint NFNLGRP_CONNTRACK_UPDATE = 2;
    private const uint NFNLGRP_CONNTRACK_DESTROY = 3;

    /// <summary>To be subscribed to before the connection begins: by default (<c>nf_conntrack_events</c> 2) only those tell that began with somebody listening.</summary>
    public static ReadOnlySpan<uint> Groups => [NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY];

    /// <returns>Null: the notification is of another kind.</returns>
    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static ConntrackEvent? Read(NetlinkMessage message) =>
        ConntrackMessage.ChangeOf(message) is { } change && ConntrackMessage.Read(message) is { } entry ? new ConntrackEvent(change, entry) : null;
}
