using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary><c>quota</c>: goes on until so many bytes have passed; inverted (<c>over</c>): from then on. What is used is no part of what it is.</summary>
public sealed record QuotaExpression(ulong Bytes, bool Inverted = false, ulong UsedBytes = 0) : Expression
{
    private const ushort NFTA_QUOTA_BYTES = 1;
    private const ushort NFTA_QUOTA_FLAGS = 2;
    private const ushort NFTA_QUOTA_PAD = 3;
    private const ushort NFTA_QUOTA_CONSUMED = 4;
    private const uint NFT_QUOTA_F_INV = 1;

    public override string Name => "quota";

    public bool Equals(QuotaExpression? other) => other is not null && Bytes == other.Bytes && Inverted == other.Inverted;

    public override int GetHashCode() => HashCode.Combine(Bytes, Inverted);

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U64BigEndian(NFTA_QUOTA_BYTES, Bytes);
        writer.Wire.U32BigEndian(NFTA_QUOTA_FLAGS, Inverted ? NFT_QUOTA_F_INV : 0);
        writer.Wire.U64BigEndian(NFTA_QUOTA_CONSUMED, UsedBytes);
    }

    internal static QuotaExpression? Read(AttributeReader attributes)
    {
        ulong bytes = 0, used = 0;
        uint flags = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_QUOTA_BYTES:
                    bytes = attribute.U64BigEndian("NFTA_QUOTA_BYTES");
                    break;
                case NFTA_QUOTA_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_QUOTA_FLAGS");
                    break;
                case NFTA_QUOTA_CONSUMED:
                    used = attribute.U64BigEndian("NFTA_QUOTA_CONSUMED");
                    break;
                case NFTA_QUOTA_PAD:
                    break;
                default:
                    return null;
            }
        }
        return new QuotaExpression(bytes, (flags & NFT_QUOTA_F_INV) != 0, used);
    }
}
