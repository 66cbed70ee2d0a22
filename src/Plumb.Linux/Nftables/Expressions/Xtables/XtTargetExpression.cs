using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Xtables;

/// <summary><c>target</c>: a target of iptables inside nf_tables (iptables-nft writes them). Its bytes are the target's own structure.</summary>
/// <param name="Target">By iptables' name: <c>DNAT</c>, <c>TPROXY</c> …</param>
public sealed record XtTargetExpression(string Target, uint Revision, Octets Info) : Expression
{
    private const ushort NFTA_TARGET_NAME = 1;
    private const ushort NFTA_TARGET_REV = 2;
    private const ushort NFTA_TARGET_INFO = 3;

    public override string Name => "target";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.Text(NFTA_TARGET_NAME, Target);
        writer.Wire.U32BigEndian(NFTA_TARGET_REV, Revision);
        writer.Wire.Bytes(NFTA_TARGET_INFO, Info.Span);
    }

    internal static XtTargetExpression? Read(AttributeReader attributes)
    {
        string? name = null;
        uint revision = 0;
        Octets info = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_TARGET_NAME:
                    name = attribute.Text("NFTA_TARGET_NAME");
                    break;
                case NFTA_TARGET_REV:
                    revision = attribute.U32BigEndian("NFTA_TARGET_REV");
                    break;
                case NFTA_TARGET_INFO:
                    info = new Octets(attribute.Value);
                    break;
                default:
                    return null;
            }
        }
        return name is null ? null : new XtTargetExpression(name, revision, info);
    }
}
