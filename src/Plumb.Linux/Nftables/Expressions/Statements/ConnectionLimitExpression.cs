using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary><c>connlimit</c>: goes on while there are at most so many connections; inverted (<c>over</c>): when there are more.</summary>
public sealed record ConnectionLimitExpression(uint Count, bool Inverted) : Expression
{
    private const ushort NFTA_CONNLIMIT_COUNT = 1;
    private const ushort NFTA_CONNLIMIT_FLAGS = 2;

    public override string Name => "connlimit";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U32BigEndian(NFTA_CONNLIMIT_COUNT, Count);
        writer.Wire.U32BigEndian(NFTA_CONNLIMIT_FLAGS, Inverted ? 1u : 0);
    }

    internal static ConnectionLimitExpression? Read(AttributeReader attributes)
    {
        uint count = 0, flags = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_CONNLIMIT_COUNT:
                    count = attribute.U32BigEndian("NFTA_CONNLIMIT_COUNT");
                    break;
                case NFTA_CONNLIMIT_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_CONNLIMIT_FLAGS");
                    break;
                default:
                    return null;
            }
        }
        return flags <= 1 ? new ConnectionLimitExpression(count, flags == 1) : null;
    }
}
