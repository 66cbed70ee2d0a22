using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary><c>range</c>: goes on if the register is inside (or, <paramref name="Inverted"/>, outside) of both inclusive ends.</summary>
public sealed record RangeExpression(Register Source, bool Inverted, Octets From, Octets To) : Expression
{
    private const ushort NFTA_RANGE_SREG = 1;
    private const ushort NFTA_RANGE_OP = 2;
    private const ushort NFTA_RANGE_FROM_DATA = 3;
    private const ushort NFTA_RANGE_TO_DATA = 4;

    public override string Name => "range";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_RANGE_SREG, Source);
        writer.Wire.U32BigEndian(NFTA_RANGE_OP, Inverted ? 1u : 0);
        DataAttribute.Write(writer.Wire, NFTA_RANGE_FROM_DATA, From.Span);
        DataAttribute.Write(writer.Wire, NFTA_RANGE_TO_DATA, To.Span);
    }

    internal static RangeExpression? Read(AttributeReader attributes)
    {
        Register? source = null;
        uint operation = 0;
        Octets from = default, to = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_RANGE_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_RANGE_SREG");
                    break;
                case NFTA_RANGE_OP:
                    operation = attribute.U32BigEndian("NFTA_RANGE_OP");
                    break;
                case NFTA_RANGE_FROM_DATA:
                    from = DataAttribute.ReadValue(attribute, "NFTA_RANGE_FROM_DATA");
                    break;
                case NFTA_RANGE_TO_DATA:
                    to = DataAttribute.ReadValue(attribute, "NFTA_RANGE_TO_DATA");
                    break;
                default:
                    return null;
            }
        }
        return source is { } register && operation <= 1 ? new RangeExpression(register, operation == 1, from, to) : null;
    }
}
