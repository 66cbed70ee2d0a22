using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary><c>notrack</c>: connection tracking does not see the packet. It has no attributes.</summary>
public sealed record NoTrackExpression : Expression
{
    public override string Name => "notrack";

    internal override void WriteData(ExpressionWriter writer)
    {
    }

    internal static NoTrackExpression? Read(AttributeReader attributes) => attributes.MoveNext() ? null : new NoTrackExpression();
}
