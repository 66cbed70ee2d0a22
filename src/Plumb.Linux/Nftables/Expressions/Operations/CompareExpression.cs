using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary>NFT_CMP_*</summary>
public enum Comparison : uint
{
    Equal = 0,
    NotEqual = 1,
    Less = 2,
    LessOrEqual = 3,
    Greater = 4,
    GreaterOrEqual = 5,
}

/// <summary><c>cmp</c>: goes on with the rule if the register's first bytes compare so with the value (as memcmp does).</summary>
public sealed record CompareExpression(Register Source, Comparison Operator, Octets Value) : Expression
{
    private const ushort NFTA_CMP_SREG = 1;
    private const ushort NFTA_CMP_OP = 2;
    private const ushort NFTA_CMP_DATA = 3;

    public override string Name => "cmp";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_CMP_SREG, Source);
        writer.Wire.U32BigEndian(NFTA_CMP_OP, (uint)Operator);
        DataAttribute.Write(writer.Wire, NFTA_CMP_DATA, Value.Span);
    }

    internal static CompareExpression? Read(AttributeReader attributes)
    {
        Register? source = null;
        uint comparison = 0;
        Octets value = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_CMP_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_CMP_SREG");
                    break;
                case NFTA_CMP_OP:
                    comparison = attribute.U32BigEndian("NFTA_CMP_OP");
                    break;
                case NFTA_CMP_DATA:
                    value = DataAttribute.ReadValue(attribute, "NFTA_CMP_DATA");
                    break;
                default:
                    return null;
            }
        }
        return source is { } register && !value.IsEmpty ? new CompareExpression(register, (Comparison)comparison, value) : null;
    }
}
