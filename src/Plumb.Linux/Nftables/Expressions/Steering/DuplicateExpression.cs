using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Steering;

/// <summary><c>dup</c>: sends a copy elsewhere: to a next hop, by a device, or both.</summary>
public sealed record DuplicateExpression(Register? Address, Register? Device) : Expression
{
    private const ushort NFTA_DUP_SREG_ADDR = 1;
    private const ushort NFTA_DUP_SREG_DEV = 2;

    public override string Name => "dup";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_DUP_SREG_ADDR, Address);
        writer.Register(NFTA_DUP_SREG_DEV, Device);
    }

    internal static DuplicateExpression? Read(AttributeReader attributes)
    {
        Register? address = null, device = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_DUP_SREG_ADDR:
                    address = ExpressionReader.Register(attribute, "NFTA_DUP_SREG_ADDR");
                    break;
                case NFTA_DUP_SREG_DEV:
                    device = ExpressionReader.Register(attribute, "NFTA_DUP_SREG_DEV");
                    break;
                default:
                    return null;
            }
        }
        return new DuplicateExpression(address, device);
    }
}
