using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>NFT_MSG_NEWRULE, and DELRULE of all rules of a chain.</summary>
internal static class RuleMessage
{
    private const ushort NFTA_RULE_TABLE = 1;
    private const ushort NFTA_RULE_CHAIN = 2;
    private const ushort NFTA_RULE_HANDLE = 3;
    private const ushort NFTA_RULE_EXPRESSIONS = 4;
    private const ushort NFTA_RULE_USERDATA = 7;

    /// <summary>Appends a rule. Sets without a name must have been written before, their numbers queued in the writer.</summary>
    public static void WriteNew(ExpressionWriter writer, ChainEntry chain, Rule rule) => Write(writer, chain, rule, handle: 0);

    /// <summary>The message by which the kernel tells of a rule.</summary>
    public static void WriteObserved(ExpressionWriter writer, ChainEntry chain, Rule rule) => Write(writer, chain, rule, rule.Handle);

    private static void Write(ExpressionWriter writer, ChainEntry chain, Rule rule, ulong handle)
    {
        var wire = writer.Wire;
        using (NftWire.Open(wire, NftMessage.NewRule, chain.Table.Family, NetlinkFlags.Create | NetlinkFlags.Append))
        {
            wire.Text(NFTA_RULE_TABLE, chain.Table.Name);
            wire.Text(NFTA_RULE_CHAIN, chain.Name);
            if (handle != 0)
            {
                wire.U64BigEndian(NFTA_RULE_HANDLE, handle);
            }
            writer.List(NFTA_RULE_EXPRESSIONS, rule.Expressions.AsSpan());
            UserData.WriteComment(wire, NFTA_RULE_USERDATA, rule.Comment);
        }
    }

    public static void WriteFlush(NetlinkWriter wire, ChainEntry chain)
    {
        using (NftWire.Open(wire, NftMessage.DeleteRule, chain.Table.Family))
        {
            wire.Text(NFTA_RULE_TABLE, chain.Table.Name);
            wire.Text(NFTA_RULE_CHAIN, chain.Name);
        }
    }

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static (TableId Table, string Chain, Rule Rule) Read(NetlinkMessage message)
    {
        string? table = null, chain = null, comment = null;
        ulong handle = 0;
        List<Expression> expressions = [];
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWRULE", out _))
        {
            switch (attribute.Type)
            {
                case NFTA_RULE_TABLE:
                    table = attribute.Text("NFTA_RULE_TABLE");
                    break;
                case NFTA_RULE_CHAIN:
                    chain = attribute.Text("NFTA_RULE_CHAIN");
                    break;
                case NFTA_RULE_HANDLE:
                    handle = attribute.U64BigEndian("NFTA_RULE_HANDLE");
                    break;
                case NFTA_RULE_EXPRESSIONS:
                    ExpressionReader.ReadList(attribute, "NFTA_RULE_EXPRESSIONS", expressions);
                    break;
                case NFTA_RULE_USERDATA:
                    comment = UserData.Comment(attribute.Value, UserData.CommentOfOthers);
                    break;
                default:
                    break;
            }
        }
        return table is not null && chain is not null
            ? (new TableId((TableFamily)message.Payload[0], table), chain, new Rule([.. expressions]) { Comment = comment, Handle = handle })
            : throw NftWire.Missing("NFTA_RULE_CHAIN", message);
    }
}
