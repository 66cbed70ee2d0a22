using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>NFT_NG_*</summary>
public enum NumberSource : uint
{
    /// <summary>One more each time.</summary>
    Increment = 0,
    Random = 1,
}

/// <summary><c>numgen</c>: loads a number from <paramref name="Offset"/> to offset + modulus − 1, host order, 32 bits.</summary>
public sealed record NumberGeneratorExpression(NumberSource Source, uint Modulus, uint Offset, Register Destination) : Expression
{
    private const ushort NFTA_NG_DREG = 1;
    private const ushort NFTA_NG_MODULUS = 2;
    private const ushort NFTA_NG_TYPE = 3;
    private const ushort NFTA_NG_OFFSET = 4;

    public override string Name => "numgen";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_NG_DREG, Destination);
        writer.Wire.U32BigEndian(NFTA_NG_MODULUS, Modulus);
        writer.Wire.U32BigEndian(NFTA_NG_TYPE, (uint)Source);
        writer.Wire.U32BigEndian(NFTA_NG_OFFSET, Offset);
    }

    internal static NumberGeneratorExpression? Read(AttributeReader attributes)
    {
        Register? destination = null;
        uint modulus = 0, source = 0, offset = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_NG_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_NG_DREG");
                    break;
                case NFTA_NG_MODULUS:
                    modulus = attribute.U32BigEndian("NFTA_NG_MODULUS");
                    break;
                case NFTA_NG_TYPE:
                    source = attribute.U32BigEndian("NFTA_NG_TYPE");
                    break;
                case NFTA_NG_OFFSET:
                    offset = attribute.U32BigEndian("NFTA_NG_OFFSET");
                    break;
                default:
                    return null;
            }
        }
        return destination is { } register ? new NumberGeneratorExpression((NumberSource)source, modulus, offset, register) : null;
    }
}
