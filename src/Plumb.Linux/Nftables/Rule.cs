using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>A rule: what the kernel runs, in order, until a step says that the packet does not match.</summary>
public sealed record Rule(ValueList<Expression> Expressions)
{
    /// <summary>At most 128 bytes with the closing NUL (NFT_USERDATA_MAXLEN is 256, but nft takes no more).</summary>
    public string? Comment { get; init; }

    /// <summary>NFTA_RULE_HANDLE as observed, 0 when planned; takes no part in equality.</summary>
    public ulong Handle { get; init; }

    public bool Equals(Rule? other) => other is not null && Comment == other.Comment && Expressions == other.Expressions;

    public override int GetHashCode() => HashCode.Combine(Comment, Expressions);
}
