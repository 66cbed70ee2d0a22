using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>NFT_MSG_NEWTABLE and DELTABLE.</summary>
internal static class TableMessage
{
    private const ushort NFTA_TABLE_NAME = 1;
    private const ushort NFTA_TABLE_FLAGS = 2;
    private const ushort NFTA_TABLE_HANDLE = 4;
    private const ushort NFTA_TABLE_USERDATA = 6;

    public static void WriteNew(NetlinkWriter wire, TableEntry table, string? comment)
    {
        using (NftWire.Open(wire, NftMessage.NewTable, table.Table.Family, NetlinkFlags.Create))
        {
            wire.Text(NFTA_TABLE_NAME, table.Table.Name);
            wire.U32BigEndian(NFTA_TABLE_FLAGS, (uint)table.Flags);
            UserData.WriteComment(wire, NFTA_TABLE_USERDATA, comment);
        }
    }

    public static void WriteDelete(NetlinkWriter wire, TableId table)
    {
        using (NftWire.Open(wire, NftMessage.DeleteTable, table.Family))
        {
            wire.Text(NFTA_TABLE_NAME, table.Name);
        }
    }

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static Observed Read(NetlinkMessage message, NamespaceId space)
    {
        string? name = null, comment = null;
        uint flags = 0;
        ulong handle = 0;
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWTABLE", out _))
        {
            switch (attribute.Type)
            {
                case NFTA_TABLE_NAME:
                    name = attribute.Text("NFTA_TABLE_NAME");
                    break;
                case NFTA_TABLE_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_TABLE_FLAGS");
                    break;
                case NFTA_TABLE_HANDLE:
                    handle = attribute.U64BigEndian("NFTA_TABLE_HANDLE");
                    break;
                case NFTA_TABLE_USERDATA:
                    comment = UserData.Comment(attribute.Value, UserData.CommentOfOthers);
                    break;
                default:
                    break;
            }
        }
        var id = new TableId((TableFamily)message.Payload[0], name ?? throw NftWire.Missing("NFTA_TABLE_NAME", message));
        return Ownership.Observe(new TableEntry(space, id) { Flags = (TableFlags)flags }, id, comment, new KernelFacts(Handle: handle));
    }
}

/// <summary>The rule by which nf_tables' entries belong to somebody: by the name of their table.</summary>
internal static class Ownership
{
    public static Owner Of(TableId table) => table.IsPlumbs ? Owner.Plumb : Owner.Foreign;

    public static Observed Observe(Entry entry, TableId table, string? comment, KernelFacts facts) =>
        new(entry, Of(table), comment is null ? null : new Stamp(comment), facts);
}
