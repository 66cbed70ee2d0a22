using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions;

/// <summary>
/// One step of a rule as the kernel runs it: load, compare, change, decide. Values of these records are equal when the kernel would
/// do the same; what merely counts (packets seen, quota used) takes no part in equality.
/// </summary>
public abstract record Expression
{
    /// <summary>NFTA_EXPR_NAME: <c>meta</c>, <c>payload</c>, <c>lookup</c> …</summary>
    public abstract string Name { get; }

    /// <summary>The set that the expression brings along, if it uses one that has no name of its own.</summary>
    public virtual AnonymousSet? Inline => null;

    /// <summary>The same expression, using <paramref name="set"/> in the place of the set of that name; most use none.</summary>
    internal virtual Expression Resolve(Func<string, AnonymousSet?> anonymous) => this;

    /// <summary>Writes what stands inside NFTA_EXPR_DATA.</summary>
    internal abstract void WriteData(ExpressionWriter writer);
}

/// <summary>
/// An expression that Plumb has no name for, or one with an attribute that it does not know: kept as it came, shown as such, and
/// written back byte for byte.
/// </summary>
/// <param name="Kind">NFTA_EXPR_NAME</param>
/// <param name="Data">What NFTA_EXPR_DATA held.</param>
public sealed record UnknownExpression(string Kind, Octets Data) : Expression
{
    public override string Name => Kind;

    internal override void WriteData(ExpressionWriter writer) => writer.Wire.Raw(Data.Span);
}

/// <summary>Where expressions are written to. It hands out the transaction's numbers for sets that have no name.</summary>
internal sealed class ExpressionWriter(NetlinkWriter wire)
{
    private const ushort NFTA_LIST_ELEM = 1;
    private const ushort NFTA_EXPR_NAME = 1;
    private const ushort NFTA_EXPR_DATA = 2;

    public NetlinkWriter Wire { get; } = wire;

    /// <summary>NFTA_SET_ID of the anonymous sets of the expressions that are about to be written, in their order.</summary>
    public Queue<uint> AnonymousIds { get; } = new();

    /// <summary>Those numbers stand in the sets' names, as when the kernel tells of them, and not beside.</summary>
    public bool NamesAnonymous { get; init; }

    public void Register(ushort type, Register register) => Wire.U32BigEndian(type, register.Wire);

    public void Register(ushort type, Register? register)
    {
        if (register is { } stated)
        {
            Register(type, stated);
        }
    }

    public void U32(ushort type, uint? value)
    {
        if (value is { } stated)
        {
            Wire.U32BigEndian(type, stated);
        }
    }

    public void Set(ushort nameType, ushort idType, SetReference set)
    {
        switch (set)
        {
            case NamedSet named:
                Wire.Text(nameType, named.Name);
                break;
            case AnonymousSet anonymous when NamesAnonymous:
                Wire.Text(nameType, anonymous.NameInKernel(AnonymousIds.Dequeue()));
                break;
            case AnonymousSet anonymous:
                Wire.Text(nameType, anonymous.KernelName);
                Wire.U32BigEndian(idType, AnonymousIds.Dequeue());
                break;
            default:
                throw new InvalidOperationException($"{set} is no set");
        }
    }

    /// <summary>One expression inside the attribute that holds it (NFTA_LIST_ELEM, NFTA_SET_ELEM_EXPR …).</summary>
    public void Expression(ushort type, Expression expression)
    {
        using (Wire.Nest(type))
        {
            Wire.Text(NFTA_EXPR_NAME, expression.Name);
            using (Wire.Nest(NFTA_EXPR_DATA))
            {
                expression.WriteData(this);
            }
        }
    }

    public void List(ushort type, ReadOnlySpan<Expression> expressions)
    {
        using (Wire.Nest(type))
        {
            foreach (var expression in expressions)
            {
                Expression(NFTA_LIST_ELEM, expression);
            }
        }
    }
}
