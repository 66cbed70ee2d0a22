using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary><c>byteorder</c>: turns numbers of <paramref name="SizeBytes"/> (2, 4, 8) within <paramref name="LengthBytes"/> to or from network order.</summary>
public sealed record ByteOrderExpression(Register Source, Register Destination, bool ToNetwork, uint LengthBytes, uint SizeBytes) : Expression
{
    private const ushort NFTA_BYTEORDER_SREG = 1;
    private const ushort NFTA_BYTEORDER_DREG = 2;
    private const ushort NFTA_BYTEORDER_OP = 3;
    private const ushort NFTA_BYTEORDER_LEN = 4;
    private const ushort NFTA_BYTEORDER_SIZE = 5;

    public override string Name => "byteorder";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_BYTEORDER_SREG, Source);
        writer.Register(NFTA_BYTEORDER_DREG, Destination);
        writer.Wire.U32BigEndian(NFTA_BYTEORDER_OP, ToNetwork ? 1u : 0);
        writer.Wire.U32BigEndian(NFTA_BYTEORDER_LEN, LengthBytes);
        writer.Wire.U32BigEndian(NFTA_BYTEORDER_SIZE, SizeBytes);
    }

    internal static ByteOrderExpression? Read(AttributeReader attributes)
    {
        Register? source = null, destination = null;
        uint operation = 0, length = 0, size = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_BYTEORDER_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_BYTEORDER_SREG");
                    break;
                case NFTA_BYTEORDER_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_BYTEORDER_DREG");
                    break;
                case NFTA_BYTEORDER_OP:
                    operation = attribute.U32BigEndian("NFTA_BYTEORDER_OP");
                    break;
                case NFTA_BYTEORDER_LEN:
                    length = attribute.U32BigEndian("NFTA_BYTEORDER_LEN");
                    break;
                case NFTA_BYTEORDER_SIZE:
                    size = attribute.U32BigEndian("NFTA_BYTEORDER_SIZE");
                    break;
                default:
                    return null;
            }
        }
        return source is { } from && destination is { } to && operation <= 1
            ? new ByteOrderExpression(from, to, operation == 1, length, size)
            : null;
    }
}
