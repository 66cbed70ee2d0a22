using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary>NFT_BITWISE_*</summary>
public enum BitwiseOperation : uint
{
    /// <summary>(source &amp; mask) ^ xor; and, or and exclusive or with constants are all this.</summary>
    MaskXor = 0,
    ShiftLeft = 1,
    ShiftRight = 2,
}

/// <summary><c>bitwise</c>: computes bits of one register into another (or the same).</summary>
/// <param name="Mask">For <see cref="BitwiseOperation.MaskXor"/>.</param>
/// <param name="Xor">For <see cref="BitwiseOperation.MaskXor"/>.</param>
/// <param name="Shift">For the two shifts: by how many bits, 32-bit host order.</param>
public sealed record BitwiseExpression(
    Register Source, Register Destination, uint LengthBytes, BitwiseOperation Operation, Octets Mask, Octets Xor, Octets Shift) : Expression
{
    private const ushort NFTA_BITWISE_SREG = 1;
    private const ushort NFTA_BITWISE_DREG = 2;
    private const ushort NFTA_BITWISE_LEN = 3;
    private const ushort NFTA_BITWISE_MASK = 4;
    private const ushort NFTA_BITWISE_XOR = 5;
    private const ushort NFTA_BITWISE_OP = 6;
    private const ushort NFTA_BITWISE_DATA = 7;

    public override string Name => "bitwise";

    public static BitwiseExpression MaskXor(Register register, Octets mask, Octets xor) =>
        new(register, register, (uint)mask.Length, BitwiseOperation.MaskXor, mask, xor, default);

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_BITWISE_SREG, Source);
        writer.Register(NFTA_BITWISE_DREG, Destination);
        writer.Wire.U32BigEndian(NFTA_BITWISE_LEN, LengthBytes);
        writer.Wire.U32BigEndian(NFTA_BITWISE_OP, (uint)Operation);
        if (Operation == BitwiseOperation.MaskXor)
        {
            DataAttribute.Write(writer.Wire, NFTA_BITWISE_MASK, Mask.Span);
            DataAttribute.Write(writer.Wire, NFTA_BITWISE_XOR, Xor.Span);
        }
        else
        {
            DataAttribute.Write(writer.Wire, NFTA_BITWISE_DATA, Shift.Span);
        }
    }

    internal static BitwiseExpression? Read(AttributeReader attributes)
    {
        Register? source = null, destination = null;
        uint length = 0, operation = 0;
        Octets mask = default, xor = default, shift = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_BITWISE_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_BITWISE_SREG");
                    break;
                case NFTA_BITWISE_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_BITWISE_DREG");
                    break;
                case NFTA_BITWISE_LEN:
                    length = attribute.U32BigEndian("NFTA_BITWISE_LEN");
                    break;
                case NFTA_BITWISE_MASK:
                    mask = DataAttribute.ReadValue(attribute, "NFTA_BITWISE_MASK");
                    break;
                case NFTA_BITWISE_XOR:
                    xor = DataAttribute.ReadValue(attribute, "NFTA_BITWISE_XOR");
                    break;
                case NFTA_BITWISE_OP:
                    operation = attribute.U32BigEndian("NFTA_BITWISE_OP");
                    break;
                case NFTA_BITWISE_DATA:
                    shift = DataAttribute.ReadValue(attribute, "NFTA_BITWISE_DATA");
                    break;
                default:
                    return null;
            }
        }
        return source is { } from && destination is { } to && operation <= (uint)BitwiseOperation.ShiftRight
            ? new BitwiseExpression(from, to, length, (BitwiseOperation)operation, mask, xor, shift)
            : null;
    }
}
