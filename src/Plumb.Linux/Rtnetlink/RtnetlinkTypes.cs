namespace Plumb.Linux.Rtnetlink;

/// <summary>Message types (RTM_* of <c>linux/rtnetlink.h</c>).</summary>
internal static class RtnetlinkTypes
{
    public const ushort RTM_NEWLINK = 16;
    public const ushort RTM_DELLINK = 17;
    public const ushort RTM_GETLINK = 18;
    public const ushort RTM_SETLINK = 19;
    public const ushort RTM_NEWADDR = 20;
    public const ushort RTM_DELADDR = 21;
    public const ushort RTM_GETADDR = 22;
    public const ushort RTM_NEWROUTE = 24;
    public const ushort RTM_DELROUTE = 25;
    public const ushort RTM_GETROUTE = 26;
    public const ushort RTM_NEWNEIGH = 28;
    public const ushort RTM_DELNEIGH = 29;
    public const ushort RTM_GETNEIGH = 30;
    public const ushort RTM_NEWRULE = 32;
    public const ushort RTM_DELRULE = 33;
    public const ushort RTM_GETRULE = 34;
    public const ushort RTM_NEWQDISC = 36;
    public const ushort RTM_DELQDISC = 37;
    public const ushort RTM_GETQDISC = 38;
    public const ushort RTM_NEWTFILTER = 44;
    public const ushort RTM_DELTFILTER = 45;
    public const ushort RTM_GETTFILTER = 46;
    public const ushort RTM_NEWNSID = 88;
    public const ushort RTM_DELNSID = 89;
    public const ushort RTM_GETNSID = 90;

    public const byte AF_UNSPEC = 0;
    public const byte AF_INET = 2;
    public const byte AF_BRIDGE = 7;
    public const byte AF_INET6 = 10;
}

/// <summary>Groups to subscribe to (RTNLGRP_* of <c>linux/rtnetlink.h</c>).</summary>
public static class RtnetlinkGroups
{
    public const uint Link = 1;
    public const uint Neighbour = 3;
    public const uint TrafficControl = 4;
    public const uint IPv4Address = 5;
    public const uint IPv4Route = 7;
    public const uint IPv4Rule = 8;
    public const uint IPv6Address = 9;
    public const uint IPv6Route = 11;
    public const uint IPv6Rule = 19;
    public const uint NamespaceId = 28;
}
