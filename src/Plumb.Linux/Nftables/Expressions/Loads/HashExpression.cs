using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary><c>hash</c>: loads a number from <paramref name="Offset"/> to offset + modulus − 1, host order, that follows from the packet.</summary>
public sealed record HashExpression(uint Modulus, uint Offset, Register Destination) : Expression
{
    private const ushort NFTA_HASH_SREG = 1;
    private const ushort NFTA_HASH_DREG = 2;
    private const ushort NFTA_HASH_LEN = 3;
    private const ushort NFTA_HASH_MODULUS = 4;
    private const ushort NFTA_HASH_SEED = 5;
    private const ushort NFTA_HASH_OFFSET = 6;
    private const ushort NFTA_HASH_TYPE = 7;
    private const uint NFT_HASH_JENKINS = 0;
    private const uint NFT_HASH_SYM = 1;

    public override string Name => "hash";

    /// <summary>What is hashed (<c>jhash</c>); none: the flow itself, the same for both directions (<c>symhash</c>).</summary>
    public (Register Source, uint LengthBytes)? Of { get; init; }

    /// <summary>Null: the kernel takes one at random.</summary>
    public uint? Seed { get; init; }

    internal override void WriteData(ExpressionWriter writer)
    {
        if (Of is { } of)
        {
            writer.Register(NFTA_HASH_SREG, of.Source);
        }
        writer.Register(NFTA_HASH_DREG, Destination);
        if (Of is { } hashed)
        {
            writer.Wire.U32BigEndian(NFTA_HASH_LEN, hashed.LengthBytes);
        }
        writer.Wire.U32BigEndian(NFTA_HASH_MODULUS, Modulus);
        writer.U32(NFTA_HASH_SEED, Seed);
        if (Offset != 0)
        {
            writer.Wire.U32BigEndian(NFTA_HASH_OFFSET, Offset);
        }
        writer.Wire.U32BigEndian(NFTA_HASH_TYPE, Of is null ? NFT_HASH_SYM : NFT_HASH_JENKINS);
    }

    internal static HashExpression? Read(AttributeReader attributes)
    {
        Register? source = null, destination = null;
        uint length = 0, modulus = 0, offset = 0, type = 0;
        uint? seed = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_HASH_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_HASH_SREG");
                    break;
                case NFTA_HASH_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_HASH_DREG");
                    break;
                case NFTA_HASH_LEN:
                    length = attribute.U32BigEndian("NFTA_HASH_LEN");
                    break;
                case NFTA_HASH_MODULUS:
                    modulus = attribute.U32BigEndian("NFTA_HASH_MODULUS");
                    break;
                case NFTA_HASH_SEED:
                    seed = attribute.U32BigEndian("NFTA_HASH_SEED");
                    break;
                case NFTA_HASH_OFFSET:
                    offset = attribute.U32BigEndian("NFTA_HASH_OFFSET");
                    break;
                case NFTA_HASH_TYPE:
                    type = attribute.U32BigEndian("NFTA_HASH_TYPE");
                    break;
                default:
                    return null;
            }
        }
        return destination is { } register && type <= NFT_HASH_SYM && (source is null) == (type == NFT_HASH_SYM)
            ? new HashExpression(modulus, offset, register) { Of = source is { } of ? (of, length) : null, Seed = seed }
            : null;
    }
}
