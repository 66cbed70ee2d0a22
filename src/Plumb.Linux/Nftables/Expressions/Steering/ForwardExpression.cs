using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Steering;

/// <summary><c>fwd</c>: sends the packet out of another device at once (netdev tables).</summary>
/// <param name="Family">NFPROTO_* of the address; with an address only.</param>
public sealed record ForwardExpression(Register Device, Register? Address, uint? Family) : Expression
{
    private const ushort NFTA_FWD_SREG_DEV = 1;
    private const ushort NFTA_FWD_SREG_ADDR = 2;
    private const ushort NFTA_FWD_NFPROTO = 3;

    public override string Name => "fwd";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_FWD_SREG_DEV, Device);
        writer.Register(NFTA_FWD_SREG_ADDR, Address);
        writer.U32(NFTA_FWD_NFPROTO, Family);
    }

    internal static ForwardExpression? Read(AttributeReader attributes)
    {
        Register? device = null, address = null;
        uint? family = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_FWD_SREG_DEV:
                    device = ExpressionReader.Register(attribute, "NFTA_FWD_SREG_DEV");
                    break;
                case NFTA_FWD_SREG_ADDR:
                    address = ExpressionReader.Register(attribute, "NFTA_FWD_SREG_ADDR");
                    break;
                case NFTA_FWD_NFPROTO:
                    family = attribute.U32BigEndian("NFTA_FWD_NFPROTO");
                    break;
                default:
                    return null;
            }
        }
        return device is { } register ? new ForwardExpression(register, address, family) : null;
    }
}
