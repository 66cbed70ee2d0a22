using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>NFT_MSG_NEWOBJ and DELOBJ. A counter's, quota's or limit's attributes are those of the expression of that name.</summary>
internal static class ObjectMessage
{
    private const ushort NFTA_OBJ_TABLE = 1;
    private const ushort NFTA_OBJ_NAME = 2;
    private const ushort NFTA_OBJ_TYPE = 3;
    private const ushort NFTA_OBJ_DATA = 4;
    private const ushort NFTA_OBJ_HANDLE = 6;
    private const ushort NFTA_OBJ_USERDATA = 8;

    public static void WriteNew(NetlinkWriter wire, ObjectEntry entry, string? comment)
    {
        using (NftWire.Open(wire, NftMessage.NewObject, entry.Table.Family, NetlinkFlags.Create))
        {
            wire.Text(NFTA_OBJ_TABLE, entry.Table.Name);
            wire.Text(NFTA_OBJ_NAME, entry.Name);
            wire.U32BigEndian(NFTA_OBJ_TYPE, (uint)entry.ObjectKind);
            using (wire.Nest(NFTA_OBJ_DATA))
            {
                entry.Does.WriteData(new ExpressionWriter(wire));
            }
            UserData.WriteComment(wire, NFTA_OBJ_USERDATA, comment);
        }
    }

    public static void WriteDelete(NetlinkWriter wire, ObjectEntry entry)
    {
        using (NftWire.Open(wire, NftMessage.DeleteObject, entry.Table.Family))
        {
            wire.Text(NFTA_OBJ_TABLE, entry.Table.Name);
            wire.Text(NFTA_OBJ_NAME, entry.Name);
            wire.U32BigEndian(NFTA_OBJ_TYPE, (uint)entry.ObjectKind);
        }
    }

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static Observed Read(NetlinkMessage message, NamespaceId space)
    {
        string? table = null, name = null, comment = null;
        ObjectKind kind = 0;
        ulong handle = 0;
        ReadOnlySpan<byte> data = [];
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWOBJ", out _))
        {
            switch (attribute.Type)
            {
                case NFTA_OBJ_TABLE:
                    table = attribute.Text("NFTA_OBJ_TABLE");
                    break;
                case NFTA_OBJ_NAME:
                    name = attribute.Text("NFTA_OBJ_NAME");
                    break;
                case NFTA_OBJ_TYPE:
                    kind = (ObjectKind)attribute.U32BigEndian("NFTA_OBJ_TYPE");
                    break;
                case NFTA_OBJ_DATA:
                    data = attribute.Value;
                    break;
                case NFTA_OBJ_HANDLE:
                    handle = attribute.U64BigEndian("NFTA_OBJ_HANDLE");
                    break;
                case NFTA_OBJ_USERDATA:
                    comment = UserData.Comment(attribute.Value, UserData.CommentOfOthers);
                    break;
                default:
                    break;
            }
        }
        if (table is null || name is null)
        {
            throw NftWire.Missing("NFTA_OBJ_NAME", message);
        }
        var attributes = new AttributeReader(data, "NFTA_OBJ_DATA");
        Expression? does = kind switch
        {
            ObjectKind.Counter => CounterExpression.Read(attributes),
            ObjectKind.Quota => QuotaExpression.Read(attributes),
            ObjectKind.Limit => LimitExpression.Read(attributes),
            _ => null,
        };
        var id = new TableId((TableFamily)message.Payload[0], table);
        var entry = new ObjectEntry(space, id, kind, name, does ?? new UnknownExpression($"object {(uint)kind}", new Octets(data)));
        var facts = new KernelFacts(Handle: handle)
        {
            Counted = does is CounterExpression counter ? new TrafficCount(counter.Packets, counter.Bytes) : null,
        };
        return Ownership.Observe(entry, id, comment, facts);
    }
}
