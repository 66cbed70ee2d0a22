using System.Runtime.InteropServices;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Tests;

/// <summary>rtnetlink requests written out by hand, for tests of the transport below the typed layers.</summary>
internal static class Wire
{
    public const uint RTNLGRP_LINK = 1;
    public const uint RTNLGRP_IPV4_IFADDR = 5;
    public const ushort RTM_NEWADDR = 20;
    public const ushort RTM_NEWLINK = 16;
    public const ushort RTM_DELLINK = 17;
    public const ushort RTM_GETLINK = 18;
    public const ushort IFLA_IFNAME = 3;
    public const ushort IFLA_LINKINFO = 18;
    public const ushort IFLA_INFO_KIND = 1;

    [StructLayout(LayoutKind.Sequential)]
    public struct LinkHeader
    {
        public byte Family;
        public byte Padding;
        public ushort Type;
        public int Index;
        public uint Flags;
        public uint Change;
    }

    public static void SetLoopbackUp(NetlinkSocket socket)
    {
        using var writer = new NetlinkWriter();
        using (writer.Message(RTM_NEWLINK))
        {
            writer.Structure(new LinkHeader { Index = 1, Flags = 1, Change = 1 });
        }
        socket.Execute(writer);
    }

    public static void WriteBridge(NetlinkWriter writer, string name)
    {
        using (writer.Message(RTM_NEWLINK, NetlinkFlags.Create | NetlinkFlags.Exclusive))
        {
            writer.Structure(new LinkHeader());
            writer.Text(IFLA_IFNAME, name);
            using (writer.Nest(IFLA_LINKINFO))
            {
                writer.Text(IFLA_INFO_KIND, "bridge");
            }
        }
    }

    public static void AddAddressToLoopback(NetlinkSocket socket, ReadOnlySpan<byte> address)
    {
        using var writer = new NetlinkWriter();
        using (writer.Message(RTM_NEWADDR, NetlinkFlags.Create | NetlinkFlags.Exclusive))
        {
            writer.Structure(0x2002 | (1UL << 32)); // struct ifaddrmsg: AF_INET, /32, index 1
            writer.Bytes(2, address); // IFA_LOCAL
        }
        socket.Execute(writer);
    }

    public static void MakeVeth(NetlinkSocket socket, string name, NetworkNamespace peerIn)
    {
        using var writer = new NetlinkWriter();
        using (writer.Message(RTM_NEWLINK, NetlinkFlags.Create | NetlinkFlags.Exclusive))
        {
            writer.Structure(new LinkHeader());
            writer.Text(IFLA_IFNAME, name);
            using (writer.Nest(IFLA_LINKINFO))
            {
                writer.Text(IFLA_INFO_KIND, "veth");
                using (writer.Nest(2)) // IFLA_INFO_DATA
                using (writer.Nest(1)) // VETH_INFO_PEER
                {
                    writer.Structure(new LinkHeader());
                    writer.S32(28, peerIn.Number); // IFLA_NET_NS_FD
                }
            }
        }
        socket.Execute(writer);
    }

    public static List<string> LinkNames(NetlinkSocket socket)
    {
        using var writer = new NetlinkWriter();
        using (writer.Message(RTM_GETLINK, NetlinkFlags.Dump))
        {
            writer.Structure(new LinkHeader());
        }
        return socket.Dump(writer, NameOf);
    }

    public static string? NameOf(NetlinkMessage message)
    {
        foreach (var attribute in new AttributeReader(message.Payload[16..], "RTM_NEWLINK"))
        {
            if (attribute.Type == IFLA_IFNAME)
            {
                return attribute.Text("IFLA_IFNAME");
            }
        }
        return null;
    }
}
