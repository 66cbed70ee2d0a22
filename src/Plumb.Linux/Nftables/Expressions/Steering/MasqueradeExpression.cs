using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Steering;

/// <summary><c>masq</c>: source NAT to the address of the device that the packet leaves by.</summary>
public sealed record MasqueradeExpression(NatFlags Flags, Register? Port = null, Register? PortLast = null) : Expression
{
    private const ushort NFTA_MASQ_FLAGS = 1;
    private const ushort NFTA_MASQ_REG_PROTO_MIN = 2;
    private const ushort NFTA_MASQ_REG_PROTO_MAX = 3;

    public override string Name => "masq";

    internal override void WriteData(ExpressionWriter writer)
    {
        if (Flags != NatFlags.None)
        {
            writer.Wire.U32BigEndian(NFTA_MASQ_FLAGS, (uint)Flags);
        }
        writer.Register(NFTA_MASQ_REG_PROTO_MIN, Port);
        writer.Register(NFTA_MASQ_REG_PROTO_MAX, PortLast);
    }

    internal static MasqueradeExpression? Read(AttributeReader attributes)
    {
        uint flags = 0;
        Register? port = null, last = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_MASQ_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_MASQ_FLAGS");
                    break;
                case NFTA_MASQ_REG_PROTO_MIN:
                    port = ExpressionReader.Register(attribute, "NFTA_MASQ_REG_PROTO_MIN");
                    break;
                case NFTA_MASQ_REG_PROTO_MAX:
                    last = ExpressionReader.Register(attribute, "NFTA_MASQ_REG_PROTO_MAX");
                    break;
                default:
                    return null;
            }
        }
        return new MasqueradeExpression(((NatFlags)flags) & ~NatFlags.ProtocolSpecified, port, last == port ? null : last);
    }
}
