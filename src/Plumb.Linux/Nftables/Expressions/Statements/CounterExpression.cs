using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary><c>counter</c>: counts packets and bytes. What it has counted is no part of what it is.</summary>
public sealed record CounterExpression(ulong Packets = 0, ulong Bytes = 0) : Expression
{
    private const ushort NFTA_COUNTER_BYTES = 1;
    private const ushort NFTA_COUNTER_PACKETS = 2;
    private const ushort NFTA_COUNTER_PAD = 3;

    public override string Name => "counter";

    public bool Equals(CounterExpression? other) => other is not null;

    public override int GetHashCode() => typeof(CounterExpression).GetHashCode();

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U64BigEndian(NFTA_COUNTER_BYTES, Bytes);
        writer.Wire.U64BigEndian(NFTA_COUNTER_PACKETS, Packets);
    }

    internal static CounterExpression? Read(AttributeReader attributes)
    {
        ulong packets = 0, bytes = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_COUNTER_BYTES:
                    bytes = attribute.U64BigEndian("NFTA_COUNTER_BYTES");
                    break;
                case NFTA_COUNTER_PACKETS:
                    packets = attribute.U64BigEndian("NFTA_COUNTER_PACKETS");
                    break;
                case NFTA_COUNTER_PAD:
                    break;
                default:
                    return null;
            }
        }
        return new CounterExpression(packets, bytes);
    }
}
