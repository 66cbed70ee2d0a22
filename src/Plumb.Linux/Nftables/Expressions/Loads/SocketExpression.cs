using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>What is asked of the local socket that the packet belongs to (NFT_SOCKET_*).</summary>
public enum SocketKey : uint
{
    Transparent = 0,
    Mark = 1,
    Wildcard = 2,
    Cgroup2 = 3,
}

/// <summary><c>socket</c>: finds the local socket of a packet and loads a fact of it.</summary>
/// <param name="Level">Depth below the root for <see cref="SocketKey.Cgroup2"/>; absent otherwise.</param>
public sealed record SocketExpression(SocketKey Key, Register Destination, uint? Level = null) : Expression
{
    private const ushort NFTA_SOCKET_KEY = 1;
    private const ushort NFTA_SOCKET_DREG = 2;
    private const ushort NFTA_SOCKET_LEVEL = 3;

    public override string Name => "socket";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U32BigEndian(NFTA_SOCKET_KEY, (uint)Key);
        writer.Register(NFTA_SOCKET_DREG, Destination);
        writer.U32(NFTA_SOCKET_LEVEL, Level);
    }

    internal static SocketExpression? Read(AttributeReader attributes)
    {
        Register? destination = null;
        SocketKey? key = null;
        uint? level = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_SOCKET_KEY:
                    key = (SocketKey)attribute.U32BigEndian("NFTA_SOCKET_KEY");
                    break;
                case NFTA_SOCKET_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_SOCKET_DREG");
                    break;
                case NFTA_SOCKET_LEVEL:
                    level = attribute.U32BigEndian("NFTA_SOCKET_LEVEL");
                    break;
                default:
                    return null;
            }
        }
        return key is { } known && destination is { } register ? new SocketExpression(known, register, level) : null;
    }
}
