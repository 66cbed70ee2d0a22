using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;

namespace Plumb.Linux.Sockets;

/// <summary>The open sockets of a network namespace (<c>linux/sock_diag.h</c>, <c>linux/inet_diag.h</c>): what <c>ss -ln</c> asks.</summary>
internal static class SocketDiagnosis
{
    private const ushort SOCK_DIAG_BY_FAMILY = 20;
    private const ushort INET_DIAG_SKV6ONLY = 11;

    // TCPF_*: 1 << state. A UDP socket without a peer is in TCP_CLOSE.
    private const uint TCPF_CLOSE = 1 << 7;
    private const uint TCPF_LISTEN = 1 << 10;

    private const byte IPPROTO_TCP = 6;
    private const byte IPPROTO_UDP = 17;

    /// <param name="socket">Of <see cref="NetlinkFamily.SocketDiagnosis"/>, opened in that namespace.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell.</exception>
    public static IReadOnlyList<BoundSocket> List(NetlinkSocket socket)
    {
        var found = new List<BoundSocket>();
        foreach (var (protocol, states) in (ReadOnlySpan<(byte, uint)>)[(IPPROTO_TCP, TCPF_LISTEN), (IPPROTO_UDP, TCPF_CLOSE)])
        {
            foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.V4, IpFamily.V6])
            {
                found.AddRange(List(socket, family, protocol, states));
            }
        }
        return found;
    }

    private static List<BoundSocket> List(NetlinkSocket socket, IpFamily family, byte protocol, uint states)
    {
        using var wire = new NetlinkWriter(128);
        using (wire.Message(SOCK_DIAG_BY_FAMILY, NetlinkFlags.Dump))
        {
            wire.Structure(new Request { Family = (byte)family, Protocol = protocol, States = states });
        }
        try
        {
            return socket.Dump(wire, message => Read(message, protocol));
        }
        catch (NetlinkException refused) when (refused.Errors[0].Errno == Errno.ENOENT)
        {
            // The kernel has no udp_diag (or no IPv6), and so nobody can ask.
            return [];
        }
    }

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    internal static BoundSocket? Read(NetlinkMessage message, byte protocol)
    {
        var header = WireHeader.Read<Answer>(message.Payload, "struct inet_diag_msg", out var attributes);
        var onlyIPv6 = false;
        foreach (var attribute in new AttributeReader(attributes, "inet_diag_msg"))
        {
            if (attribute.Type == INET_DIAG_SKV6ONLY)
            {
                onlyIPv6 = attribute.Bool("INET_DIAG_SKV6ONLY");
            }
        }
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<SocketId>(in header.Id));
        var isV4 = header.Family == (byte)IpFamily.V4;
        return IpAddress.TryRead(bytes.Slice(4, isV4 ? 4 : 16), out var address)
            ? new BoundSocket(address, BinaryPrimitives.ReadUInt16BigEndian(bytes), protocol) { OnlyIPv6 = onlyIPv6, Device = (int)header.Id.Device, Inode = header.Inode }
            : null;
    }

    /// <summary><c>struct inet_diag_sockid</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct SocketId
    {
        public ushort SourcePortBigEndian;
        public ushort DestinationPortBigEndian;
        public fixed byte Source[16];
        public fixed byte Destination[16];
        public uint Device;
        public fixed uint Cookie[2];
    }

    /// <summary><c>struct inet_diag_req_v2</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Request
    {
        public byte Family;
        public byte Protocol;
        public byte Extensions;
        public byte Padding;
        public uint States;
        public SocketId Id;
    }

    /// <summary><c>struct inet_diag_msg</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Answer
    {
        public byte Family;
        public byte State;
        public byte Timer;
        public byte Retransmissions;
        public SocketId Id;
        public uint Expires;
        public uint ReceiveQueue;
        public uint SendQueue;
        public uint User;
        public uint Inode;
    }
}
