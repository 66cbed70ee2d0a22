using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Steering;

/// <summary><c>redir</c>: destination NAT to the node itself, to the address of the device that the packet came in by.</summary>
public sealed record RedirectExpression(NatFlags Flags, Register? Port = null, Register? PortLast = null) : Expression
{
    private const ushort NFTA_REDIR_FLAGS = 3;
    private const ushort NFTA_REDIR_REG_PROTO_MIN = 1;
    private const ushort NFTA_REDIR_REG_PROTO_MAX = 2;

    public override string Name => "redir";

    internal override void WriteData(ExpressionWriter writer)
    {
        if (Flags != NatFlags.None)
        {
            writer.Wire.U32BigEndian(NFTA_REDIR_FLAGS, (uint)Flags);
        }
        writer.Register(NFTA_REDIR_REG_PROTO_MIN, Port);
        writer.Register(NFTA_REDIR_REG_PROTO_MAX, PortLast);
    }

    internal static RedirectExpression? Read(AttributeReader attributes)
    {
        uint flags = 0;
        Register? port = null, last = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_REDIR_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_REDIR_FLAGS");
                    break;
                case NFTA_REDIR_REG_PROTO_MIN:
                    port = ExpressionReader.Register(attribute, "NFTA_REDIR_REG_PROTO_MIN");
                    break;
                case NFTA_REDIR_REG_PROTO_MAX:
                    last = ExpressionReader.Register(attribute, "NFTA_REDIR_REG_PROTO_MAX");
                    break;
                default:
                    return null;
            }
        }
        return new RedirectExpression(((NatFlags)flags) & ~NatFlags.ProtocolSpecified, port, last == port ? null : last);
    }
}
