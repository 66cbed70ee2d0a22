using System.Runtime.InteropServices;

namespace Plumb.Linux.Netlink;

/// <summary>Families of generic netlink, which have names and are given numbers as they come (<c>linux/genetlink.h</c>).</summary>
internal static class GenericFamily
{
    private const ushort GENL_ID_CTRL = 16;
    private const byte CTRL_CMD_GETFAMILY = 3;
    private const ushort CTRL_ATTR_FAMILY_ID = 1;
    private const ushort CTRL_ATTR_FAMILY_NAME = 2;

    /// <summary>The number of a family. A kernel that has it as a module loads that.</summary>
    /// <exception cref="NetlinkException">The kernel has no such family (ENOENT).</exception>
    public static ushort Find(NetlinkSocket socket, string name)
    {
        using var wire = new NetlinkWriter(64);
        using (wire.Message(GENL_ID_CTRL))
        {
            wire.Structure(new GenericHeader(CTRL_CMD_GETFAMILY, 1));
            wire.Text(CTRL_ATTR_FAMILY_NAME, name);
        }
        ushort number = 0;
        socket.Execute(wire, (message, _) =>
        {
            foreach (var a in Attributes(message, "CTRL_CMD_GETFAMILY"))
            {
                if (a.Type == CTRL_ATTR_FAMILY_ID)
                {
                    number = a.U16(nameof(CTRL_ATTR_FAMILY_ID));
                }
            }
        });
        return number;
    }

    /// <exception cref="NetlinkDecodeException">The header is cut.</exception>
    public static AttributeReader Attributes(NetlinkMessage message, string name) =>
        message.Payload.Length >= GenericHeader.Bytes
            ? new AttributeReader(message.Payload[GenericHeader.Bytes..], name)
            : throw new NetlinkDecodeException(name, $"has {message.Payload.Length} bytes instead of {GenericHeader.Bytes} or more", message.Payload);
}

/// <summary><c>struct genlmsghdr</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct GenericHeader(byte command, byte version)
{
    public const int Bytes = 4;

    public readonly byte Command = command;
    public readonly byte Version = version;
    public readonly ushort Reserved;
}
