using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary>NFT_DYNSET_OP_*</summary>
public enum DynamicSetOperation : uint
{
    Add = 0,

    /// <summary>Adds, or starts the timeout of an element that is there again. It does not replace the data.</summary>
    Update = 1,
    Delete = 2,
}

/// <summary><c>dynset</c>: a packet adds to, renews in or deletes from a set. A full set stops the rule.</summary>
public sealed record DynamicSetExpression(DynamicSetOperation Operation, SetReference Set, Register Key, Register? Data = null) : Expression
{
    private const ushort NFTA_DYNSET_SET_NAME = 1;
    private const ushort NFTA_DYNSET_SET_ID = 2;
    private const ushort NFTA_DYNSET_OP = 3;
    private const ushort NFTA_DYNSET_SREG_KEY = 4;
    private const ushort NFTA_DYNSET_SREG_DATA = 5;
    private const ushort NFTA_DYNSET_TIMEOUT = 6;
    private const ushort NFTA_DYNSET_EXPR = 7;
    private const ushort NFTA_DYNSET_PAD = 8;
    private const ushort NFTA_DYNSET_FLAGS = 9;
    private const ushort NFTA_DYNSET_EXPRESSIONS = 10;
    private const uint NFT_DYNSET_F_INV = 1;
    private const uint NFT_DYNSET_F_EXPR = 2;

    public override string Name => "dynset";

    public override AnonymousSet? Inline => Set as AnonymousSet;

    /// <summary>NFT_DYNSET_F_INV: goes on when the set is full instead.</summary>
    public bool Inverted { get; init; }

    /// <summary>Null: the set's own.</summary>
    public ulong? TimeoutMilliseconds { get; init; }

    /// <summary>What each element runs: a counter, a limit.</summary>
    public ValueList<Expression> Statements { get; init; }

    internal override Expression Resolve(Func<string, AnonymousSet?> anonymous) =>
        Set is NamedSet named && anonymous(named.Name) is { } set ? this with { Set = set } : this;

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Set(NFTA_DYNSET_SET_NAME, NFTA_DYNSET_SET_ID, Set);
        writer.Wire.U32BigEndian(NFTA_DYNSET_OP, (uint)Operation);
        writer.Register(NFTA_DYNSET_SREG_KEY, Key);
        writer.Register(NFTA_DYNSET_SREG_DATA, Data);
        if (TimeoutMilliseconds is { } timeout)
        {
            writer.Wire.U64BigEndian(NFTA_DYNSET_TIMEOUT, timeout);
        }
        var flags = (Inverted ? NFT_DYNSET_F_INV : 0) | (Statements.Count > 0 ? NFT_DYNSET_F_EXPR : 0);
        if (flags != 0)
        {
            writer.Wire.U32BigEndian(NFTA_DYNSET_FLAGS, flags);
        }
        if (Statements.Count == 1)
        {
            writer.Expression(NFTA_DYNSET_EXPR, Statements[0]);
        }
        else if (Statements.Count > 1)
        {
            writer.List(NFTA_DYNSET_EXPRESSIONS, Statements.AsSpan());
        }
    }

    internal static DynamicSetExpression? Read(AttributeReader attributes)
    {
        string? set = null;
        Register? key = null, data = null;
        uint operation = 0, flags = 0;
        ulong? timeout = null;
        List<Expression>? statements = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_DYNSET_SET_NAME:
                    set = attribute.Text("NFTA_DYNSET_SET_NAME");
                    break;
                case NFTA_DYNSET_OP:
                    operation = attribute.U32BigEndian("NFTA_DYNSET_OP");
                    break;
                case NFTA_DYNSET_SREG_KEY:
                    key = ExpressionReader.Register(attribute, "NFTA_DYNSET_SREG_KEY");
                    break;
                case NFTA_DYNSET_SREG_DATA:
                    data = ExpressionReader.Register(attribute, "NFTA_DYNSET_SREG_DATA");
                    break;
                case NFTA_DYNSET_TIMEOUT:
                    timeout = attribute.U64BigEndian("NFTA_DYNSET_TIMEOUT");
                    break;
                case NFTA_DYNSET_EXPR:
                    (statements ??= []).Add(ExpressionReader.Read(attribute));
                    break;
                case NFTA_DYNSET_EXPRESSIONS:
                    ExpressionReader.ReadList(attribute, "NFTA_DYNSET_EXPRESSIONS", statements ??= []);
                    break;
                case NFTA_DYNSET_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_DYNSET_FLAGS");
                    break;
                case NFTA_DYNSET_SET_ID:
                case NFTA_DYNSET_PAD:
                    break;
                default:
                    return null;
            }
        }
        if (set is null || key is not { } keyRegister || flags > (NFT_DYNSET_F_INV | NFT_DYNSET_F_EXPR))
        {
            return null;
        }
        return new DynamicSetExpression((DynamicSetOperation)operation, new NamedSet(set), keyRegister, data)
        {
            Inverted = (flags & NFT_DYNSET_F_INV) != 0,
            TimeoutMilliseconds = timeout is 0 ? null : timeout,
            Statements = statements is null ? [] : [.. statements],
        };
    }
}
