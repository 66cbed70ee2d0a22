using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary><c>immediate</c>: puts a constant into a register, or a verdict into the verdict's.</summary>
public sealed record ImmediateExpression(Register Destination, Octets Value, Verdict? Verdict = null) : Expression
{
    private const ushort NFTA_IMMEDIATE_DREG = 1;
    private const ushort NFTA_IMMEDIATE_DATA = 2;

    public override string Name => "immediate";

    public static ImmediateExpression Of(Verdict verdict) => new(Register.Verdict, default, verdict);

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_IMMEDIATE_DREG, Destination);
        if (Verdict is { } verdict)
        {
            DataAttribute.Write(writer.Wire, NFTA_IMMEDIATE_DATA, verdict);
        }
        else
        {
            DataAttribute.Write(writer.Wire, NFTA_IMMEDIATE_DATA, Value.Span);
        }
    }

    internal static ImmediateExpression? Read(AttributeReader attributes)
    {
        Register? destination = null;
        Octets value = default;
        Verdict? verdict = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_IMMEDIATE_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_IMMEDIATE_DREG");
                    break;
                case NFTA_IMMEDIATE_DATA:
                    (value, verdict) = DataAttribute.Read(attribute, "NFTA_IMMEDIATE_DATA");
                    break;
                default:
                    return null;
            }
        }
        return destination is { } register && (verdict is not null) == register.IsVerdict ? new ImmediateExpression(register, value, verdict) : null;
    }
}
