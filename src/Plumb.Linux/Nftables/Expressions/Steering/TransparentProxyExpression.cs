using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Steering;

/// <summary><c>tproxy</c>: hands the packet to a local transparent socket, unchanged.</summary>
/// <param name="Family">NFPROTO_* of the address; <c>Inet</c> (1) with a port alone.</param>
public sealed record TransparentProxyExpression(uint Family, Register? Address, Register? Port) : Expression
{
    private const ushort NFTA_TPROXY_FAMILY = 1;
    private const ushort NFTA_TPROXY_REG_ADDR = 2;
    private const ushort NFTA_TPROXY_REG_PORT = 3;

    public override string Name => "tproxy";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U32BigEndian(NFTA_TPROXY_FAMILY, Family);
        writer.Register(NFTA_TPROXY_REG_ADDR, Address);
        writer.Register(NFTA_TPROXY_REG_PORT, Port);
    }

    internal static TransparentProxyExpression? Read(AttributeReader attributes)
    {
        uint family = 0;
        Register? address = null, port = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_TPROXY_FAMILY:
                    family = attribute.U32BigEndian("NFTA_TPROXY_FAMILY");
                    break;
                case NFTA_TPROXY_REG_ADDR:
                    address = ExpressionReader.Register(attribute, "NFTA_TPROXY_REG_ADDR");
                    break;
                case NFTA_TPROXY_REG_PORT:
                    port = ExpressionReader.Register(attribute, "NFTA_TPROXY_REG_PORT");
                    break;
                default:
                    return null;
            }
        }
        return new TransparentProxyExpression(family, address, port);
    }
}
