using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary><c>limit</c>: goes on while packets (or bytes) come no faster than the rate; inverted (<c>over</c>): only when faster.</summary>
/// <param name="Rate">How many in <paramref name="UnitSeconds"/> (1, 60, 3,600, 86,400 or 604,800).</param>
/// <param name="Burst">How many may come at once beyond it.</param>
public sealed record LimitExpression(ulong Rate, ulong UnitSeconds, uint Burst, bool CountsBytes = false, bool Inverted = false) : Expression
{
    private const ushort NFTA_LIMIT_RATE = 1;
    private const ushort NFTA_LIMIT_UNIT = 2;
    private const ushort NFTA_LIMIT_BURST = 3;
    private const ushort NFTA_LIMIT_TYPE = 4;
    private const ushort NFTA_LIMIT_FLAGS = 5;
    private const ushort NFTA_LIMIT_PAD = 6;

    /// <summary>What nft states when a packet limit has no burst of its own.</summary>
    public const uint DefaultPacketBurst = 5;

    public override string Name => "limit";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U64BigEndian(NFTA_LIMIT_RATE, Rate);
        writer.Wire.U64BigEndian(NFTA_LIMIT_UNIT, UnitSeconds);
        writer.Wire.U32BigEndian(NFTA_LIMIT_BURST, Burst);
        writer.Wire.U32BigEndian(NFTA_LIMIT_TYPE, CountsBytes ? 1u : 0);
        writer.Wire.U32BigEndian(NFTA_LIMIT_FLAGS, Inverted ? 1u : 0);
    }

    internal static LimitExpression? Read(AttributeReader attributes)
    {
        ulong rate = 0, unit = 0;
        uint burst = 0, type = 0, flags = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_LIMIT_RATE:
                    rate = attribute.U64BigEndian("NFTA_LIMIT_RATE");
                    break;
                case NFTA_LIMIT_UNIT:
                    unit = attribute.U64BigEndian("NFTA_LIMIT_UNIT");
                    break;
                case NFTA_LIMIT_BURST:
                    burst = attribute.U32BigEndian("NFTA_LIMIT_BURST");
                    break;
                case NFTA_LIMIT_TYPE:
                    type = attribute.U32BigEndian("NFTA_LIMIT_TYPE");
                    break;
                case NFTA_LIMIT_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_LIMIT_FLAGS");
                    break;
                case NFTA_LIMIT_PAD:
                    break;
                default:
                    return null;
            }
        }
        return type <= 1 && flags <= 1 ? new LimitExpression(rate, unit, burst, type == 1, flags == 1) : null;
    }
}
