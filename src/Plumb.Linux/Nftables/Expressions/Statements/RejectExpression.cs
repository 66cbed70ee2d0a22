using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary>NFT_REJECT_*</summary>
public enum RejectKind : uint
{
    /// <summary>An ICMP or ICMPv6 error, by the family's own code.</summary>
    Icmp = 0,
    TcpReset = 1,

    /// <summary>An ICMP error by a code that both families have; for inet, bridge and netdev tables.</summary>
    Icmpx = 2,
}

/// <summary><c>reject</c>: drops the packet and tells its sender.</summary>
/// <param name="Code">ICMP code, ICMPv6 code or NFT_REJECT_ICMPX_*; 0 for a reset.</param>
public sealed record RejectExpression(RejectKind Kind, byte Code) : Expression
{
    private const ushort NFTA_REJECT_TYPE = 1;
    private const ushort NFTA_REJECT_ICMP_CODE = 2;

    public override string Name => "reject";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U32BigEndian(NFTA_REJECT_TYPE, (uint)Kind);
        if (Kind != RejectKind.TcpReset)
        {
            writer.Wire.U8(NFTA_REJECT_ICMP_CODE, Code);
        }
    }

    internal static RejectExpression? Read(AttributeReader attributes)
    {
        uint kind = 0;
        byte code = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_REJECT_TYPE:
                    kind = attribute.U32BigEndian("NFTA_REJECT_TYPE");
                    break;
                case NFTA_REJECT_ICMP_CODE:
                    code = attribute.U8("NFTA_REJECT_ICMP_CODE");
                    break;
                default:
                    return null;
            }
        }
        return new RejectExpression((RejectKind)kind, code);
    }
}
