using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Netlink;

/// <summary>Reads NLMSG_ERROR and NLMSG_DONE: an errno, a copy of the request or of its header, then attributes that explain (<c>struct nlmsgerr</c>).</summary>
internal static class ExtendedAck
{
    /// <summary>0 for an acknowledgement; the wire has the number negated.</summary>
    public static Errno ReadErrno(NetlinkMessage message) =>
        message.Payload.Length >= 4
            ? (Errno)(-MemoryMarshal.Read<int>(message.Payload))
            : throw new NetlinkDecodeException("struct nlmsgerr", $"has {message.Payload.Length} bytes", message.Payload);

    public static NetlinkError Read(NetlinkMessage message, int index, ushort messageType)
    {
        string? text = null;
        int? offset = null;
        if ((message.Flags & NetlinkFlags.AcknowledgeAttributes) != 0)
        {
            foreach (var attribute in new AttributeReader(message.Payload[AttributesStart(message)..], "NLMSG_ERROR"))
            {
                switch (attribute.Type)
                {
                    case NetlinkControl.NLMSGERR_ATTR_MSG:
                        text = attribute.Text(nameof(NetlinkControl.NLMSGERR_ATTR_MSG));
                        break;
                    case NetlinkControl.NLMSGERR_ATTR_OFFS:
                        offset = (int)attribute.U32(nameof(NetlinkControl.NLMSGERR_ATTR_OFFS));
                        break;
                    default:
                        break;
                }
            }
        }
        return new NetlinkError(index, messageType, ReadErrno(message), text, offset);
    }

    private static int AttributesStart(NetlinkMessage message)
    {
        const int errnoBytes = 4;
        if (message.Type == NetlinkControl.NLMSG_DONE)
        {
            return errnoBytes;
        }
        var start = errnoBytes + NetlinkControl.HeaderBytes;
        if ((message.Flags & NetlinkFlags.Capped) == 0 && message.Payload.Length >= start)
        {
            start = errnoBytes + NetlinkControl.Align((int)MemoryMarshal.Read<uint>(message.Payload[errnoBytes..]));
        }
        return start <= message.Payload.Length
            ? start
            : throw new NetlinkDecodeException("struct nlmsgerr", $"has {message.Payload.Length} bytes instead of {start}", message.Payload);
    }
}
