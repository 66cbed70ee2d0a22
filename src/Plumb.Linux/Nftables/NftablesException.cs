using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>The kernel refused a transaction of nf_tables; nothing of it was done.</summary>
public sealed class NftablesException : NetlinkException
{
    private const Errno ERESTART = (Errno)85;

    internal NftablesException(IReadOnlyList<NetlinkError> errors, EntryKey? entry, string? rule)
        : base(errors)
    {
        Entry = entry;
        Rule = rule;
    }

    /// <summary>
    /// The entry that was refused first; null when it was the transaction as such (<see cref="IsStale"/>). Of a message with many
    /// elements it is the very one only where the kernel says so; otherwise the message's first.
    /// </summary>
    public EntryKey? Entry { get; }

    /// <summary>The rule of a chain that was refused, in nft's words.</summary>
    public string? Rule { get; }

    /// <summary>The generation was another than the caller expected, or moved during the transaction: observe again.</summary>
    public bool IsStale => Errno == ERESTART;

    public override string Message => Entry is { } entry
        ? $"{entry}: the kernel refuses {(Rule is null ? "it" : $"'{Rule}'")}: {First}"
        : IsStale ? "nf_tables has changed meanwhile" : base.Message;
}
