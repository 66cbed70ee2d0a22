using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Xtables;

/// <summary><c>match</c>: a match of iptables inside nf_tables (iptables-nft writes them). Its bytes are the match's own structure.</summary>
/// <param name="Match">By iptables' name: <c>comment</c>, <c>statistic</c>, <c>recent</c> …</param>
public sealed record XtMatchExpression(string Match, uint Revision, Octets Info) : Expression
{
    private const ushort NFTA_MATCH_NAME = 1;
    private const ushort NFTA_MATCH_REV = 2;
    private const ushort NFTA_MATCH_INFO = 3;

    public override string Name => "match";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.Text(NFTA_MATCH_NAME, Match);
        writer.Wire.U32BigEndian(NFTA_MATCH_REV, Revision);
        writer.Wire.Bytes(NFTA_MATCH_INFO, Info.Span);
    }

    internal static XtMatchExpression? Read(AttributeReader attributes)
    {
        string? name = null;
        uint revision = 0;
        Octets info = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_MATCH_NAME:
                    name = attribute.Text("NFTA_MATCH_NAME");
                    break;
                case NFTA_MATCH_REV:
                    revision = attribute.U32BigEndian("NFTA_MATCH_REV");
                    break;
                case NFTA_MATCH_INFO:
                    info = new Octets(attribute.Value);
                    break;
                default:
                    return null;
            }
        }
        return name is null ? null : new XtMatchExpression(name, revision, info);
    }
}
