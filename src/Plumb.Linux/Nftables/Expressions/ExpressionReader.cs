using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Expressions.Xtables;

namespace Plumb.Linux.Nftables.Expressions;

/// <summary>Makes expressions of what the kernel sends. An expression type is added by its file and a line in this list.</summary>
internal static class ExpressionReader
{
    private const ushort NFTA_LIST_ELEM = 1;
    private const ushort NFTA_EXPR_NAME = 1;
    private const ushort NFTA_EXPR_DATA = 2;

    /// <summary>What is inside NFTA_RULE_EXPRESSIONS and its like.</summary>
    /// <exception cref="NetlinkDecodeException">The bytes are cut or malformed.</exception>
    public static void ReadList(NetlinkAttribute list, string name, List<Expression> into)
    {
        foreach (var item in list.Nested(name))
        {
            if (item.Type == NFTA_LIST_ELEM)
            {
                into.Add(Read(item));
            }
        }
    }

    public static Expression Read(NetlinkAttribute expression)
    {
        string? name = null;
        ReadOnlySpan<byte> data = default;
        foreach (var attribute in expression.Nested("NFTA_LIST_ELEM"))
        {
            switch (attribute.Type)
            {
                case NFTA_EXPR_NAME:
                    name = attribute.Text("NFTA_EXPR_NAME");
                    break;
                case NFTA_EXPR_DATA:
                    data = attribute.Value;
                    break;
                default:
                    break;
            }
        }
        return name is null
            ? throw new NetlinkDecodeException("NFTA_EXPR_NAME", "is missing", expression.Value)
            : Known(name, data) ?? new UnknownExpression(name, new Octets(data));
    }

    // Each reader gives null for attributes or values that it does not know; then the whole is kept as it came.
    private static Expression? Known(string name, ReadOnlySpan<byte> data)
    {
        var attributes = new AttributeReader(data, name);
        return name switch
        {
            "meta" => MetaExpression.Read(attributes),
            "payload" => PayloadExpression.Read(attributes),
            "ct" => ConntrackExpression.Read(attributes),
            "exthdr" => ExtensionExpression.Read(attributes),
            "rt" => RouteExpression.Read(attributes),
            "fib" => FibExpression.Read(attributes),
            "socket" => SocketExpression.Read(attributes),
            "numgen" => NumberGeneratorExpression.Read(attributes),
            "hash" => HashExpression.Read(attributes),
            "cmp" => CompareExpression.Read(attributes),
            "range" => RangeExpression.Read(attributes),
            "bitwise" => BitwiseExpression.Read(attributes),
            "byteorder" => ByteOrderExpression.Read(attributes),
            "immediate" => ImmediateExpression.Read(attributes),
            "lookup" => LookupExpression.Read(attributes),
            "dynset" => DynamicSetExpression.Read(attributes),
            "objref" => ObjectReferenceExpression.Read(attributes),
            "nat" => NatExpression.Read(attributes),
            "masq" => MasqueradeExpression.Read(attributes),
            "redir" => RedirectExpression.Read(attributes),
            "reject" => RejectExpression.Read(attributes),
            "counter" => CounterExpression.Read(attributes),
            "limit" => LimitExpression.Read(attributes),
            "quota" => QuotaExpression.Read(attributes),
            "log" => LogExpression.Read(attributes),
            "notrack" => NoTrackExpression.Read(attributes),
            "tproxy" => TransparentProxyExpression.Read(attributes),
            "queue" => QueueExpression.Read(attributes),
            "connlimit" => ConnectionLimitExpression.Read(attributes),
            "last" => LastUsedExpression.Read(attributes),
            "dup" => DuplicateExpression.Read(attributes),
            "fwd" => ForwardExpression.Read(attributes),
            "match" => XtMatchExpression.Read(attributes),
            "target" => XtTargetExpression.Read(attributes),
            _ => null,
        };
    }

    public static Register Register(NetlinkAttribute attribute, string name) =>
        Expressions.Register.FromWire(attribute.U32BigEndian(name), name);
}
