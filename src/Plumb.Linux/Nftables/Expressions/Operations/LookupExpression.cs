using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary>
/// <c>lookup</c>: goes on if the key is in the set (or, inverted, is not). Of a map the element's data is loaded into
/// <paramref name="Destination"/>, which is the verdict register for a verdict map.
/// </summary>
public sealed record LookupExpression(SetReference Set, Register Source, Register? Destination = null, bool Inverted = false) : Expression
{
    private const ushort NFTA_LOOKUP_SET = 1;
    private const ushort NFTA_LOOKUP_SREG = 2;
    private const ushort NFTA_LOOKUP_DREG = 3;
    private const ushort NFTA_LOOKUP_SET_ID = 4;
    private const ushort NFTA_LOOKUP_FLAGS = 5;
    private const uint NFT_LOOKUP_F_INV = 1;

    public override string Name => "lookup";

    public override AnonymousSet? Inline => Set as AnonymousSet;

    internal override Expression Resolve(Func<string, AnonymousSet?> anonymous) =>
        Set is NamedSet named && anonymous(named.Name) is { } set ? this with { Set = set } : this;

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Set(NFTA_LOOKUP_SET, NFTA_LOOKUP_SET_ID, Set);
        writer.Register(NFTA_LOOKUP_SREG, Source);
        writer.Register(NFTA_LOOKUP_DREG, Destination);
        if (Inverted)
        {
            writer.Wire.U32BigEndian(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
        }
    }

    internal static LookupExpression? Read(AttributeReader attributes)
    {
        string? set = null;
        Register? source = null, destination = null;
        uint flags = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_LOOKUP_SET:
                    set = attribute.Text("NFTA_LOOKUP_SET");
                    break;
                case NFTA_LOOKUP_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_LOOKUP_SREG");
                    break;
                case NFTA_LOOKUP_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_LOOKUP_DREG");
                    break;
                case NFTA_LOOKUP_SET_ID:
                    break;
                case NFTA_LOOKUP_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_LOOKUP_FLAGS");
                    break;
                default:
                    return null;
            }
        }
        return set is not null && source is { } register && flags <= NFT_LOOKUP_F_INV
            ? new LookupExpression(new NamedSet(set), register, destination, flags == NFT_LOOKUP_F_INV)
            : null;
    }
}
