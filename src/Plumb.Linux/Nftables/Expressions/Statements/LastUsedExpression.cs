using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary><c>last</c>: remembers when a packet last came by. The time is no part of what it is.</summary>
/// <param name="AgoMilliseconds">Null: never.</param>
public sealed record LastUsedExpression(ulong? AgoMilliseconds = null) : Expression
{
    private const ushort NFTA_LAST_SET = 1;
    private const ushort NFTA_LAST_MSECS = 2;
    private const ushort NFTA_LAST_PAD = 3;

    public override string Name => "last";

    public bool Equals(LastUsedExpression? other) => other is not null;

    public override int GetHashCode() => typeof(LastUsedExpression).GetHashCode();

    internal override void WriteData(ExpressionWriter writer)
    {
        if (AgoMilliseconds is { } ago)
        {
            writer.Wire.U32BigEndian(NFTA_LAST_SET, 1);
            writer.Wire.U64BigEndian(NFTA_LAST_MSECS, ago);
        }
    }

    internal static LastUsedExpression? Read(AttributeReader attributes)
    {
        uint set = 0;
        ulong ago = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_LAST_SET:
                    set = attribute.U32BigEndian("NFTA_LAST_SET");
                    break;
                case NFTA_LAST_MSECS:
                    ago = attribute.U64BigEndian("NFTA_LAST_MSECS");
                    break;
                case NFTA_LAST_PAD:
                    break;
                default:
                    return null;
            }
        }
        return new LastUsedExpression(set == 0 ? null : ago);
    }
}
