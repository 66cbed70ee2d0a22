using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>A set as the kernel holds it; one without a name of its own belongs to a rule.</summary>
internal sealed record ObservedSet(SetEntry Set, bool IsAnonymous, string? Comment, ulong Handle);

/// <summary>NFT_MSG_NEWSET and DELSET; elements have messages of their own.</summary>
internal static class SetMessage
{
    private const ushort NFTA_SET_TABLE = 1;
    private const ushort NFTA_SET_NAME = 2;
    private const ushort NFTA_SET_FLAGS = 3;
    private const ushort NFTA_SET_KEY_TYPE = 4;
    private const ushort NFTA_SET_KEY_LEN = 5;
    private const ushort NFTA_SET_DATA_TYPE = 6;
    private const ushort NFTA_SET_DATA_LEN = 7;
    private const ushort NFTA_SET_DESC = 9;
    private const ushort NFTA_SET_ID = 10;
    private const ushort NFTA_SET_TIMEOUT = 11;
    private const ushort NFTA_SET_GC_INTERVAL = 12;
    private const ushort NFTA_SET_USERDATA = 13;
    private const ushort NFTA_SET_OBJ_TYPE = 15;
    private const ushort NFTA_SET_HANDLE = 16;
    private const ushort NFTA_SET_EXPR = 17;
    private const ushort NFTA_SET_EXPRESSIONS = 18;

    private const ushort NFTA_SET_DESC_SIZE = 1;
    private const ushort NFTA_SET_DESC_CONCAT = 2;
    private const ushort NFTA_SET_FIELD_LEN = 1;
    private const ushort NFTA_LIST_ELEM = 1;

    private const uint NFT_SET_ANONYMOUS = 0x01;
    private const uint NFT_SET_MAP = 0x08;
    private const uint NFT_SET_OBJECT = 0x40;
    private const uint NFT_SET_CONCAT = 0x80;
    private const uint NFT_SET_EXPR = 0x100;
    private const uint StatedFlags = (uint)(SetFlags.Constant | SetFlags.Interval | SetFlags.Timeout | SetFlags.Dynamic);

    private const uint NFT_DATA_VERDICT = 0xffffff00;

    public static void WriteNew(NetlinkWriter wire, SetEntry set, string? comment, uint id)
    {
        Write(wire, set, set.Schema.Name, anonymous: false, SetUserData.Write(set, comment), id);
    }

    public static void WriteNew(NetlinkWriter wire, NamespaceId space, TableId table, AnonymousSet set, uint id)
    {
        var entry = new SetEntry(space, set.Schema with { Table = table }) { Size = (uint)set.Elements.Count };
        Write(wire, entry, set.KernelName, anonymous: true, SetUserData.Write(entry, comment: null), id);
    }

    /// <summary>The message by which the kernel tells of a set.</summary>
    public static void WriteObserved(NetlinkWriter wire, SetEntry set, string name, bool anonymous) =>
        Write(wire, set, name, anonymous, SetUserData.Write(set, comment: null), id: null);

    private static void Write(NetlinkWriter wire, SetEntry set, string name, bool anonymous, ReadOnlySpan<byte> userData, uint? id)
    {
        var schema = set.Schema;
        using (NftWire.Open(wire, NftMessage.NewSet, schema.Table.Family, NetlinkFlags.Create))
        {
            wire.Text(NFTA_SET_TABLE, schema.Table.Name);
            wire.Text(NFTA_SET_NAME, name);
            wire.U32BigEndian(NFTA_SET_FLAGS, WireFlags(set) | (anonymous ? NFT_SET_ANONYMOUS : 0));
            wire.U32BigEndian(NFTA_SET_KEY_TYPE, TypeNumber(schema.Key));
            wire.U32BigEndian(NFTA_SET_KEY_LEN, (uint)schema.KeyBytes);
            switch (schema.Data)
            {
                case MapData.Fields { Items: var fields }:
                    wire.U32BigEndian(NFTA_SET_DATA_TYPE, TypeNumber(fields));
                    wire.U32BigEndian(NFTA_SET_DATA_LEN, (uint)SetSchema.Bytes(fields));
                    break;
                case MapData.Verdicts:
                    wire.U32BigEndian(NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
                    wire.U32BigEndian(NFTA_SET_DATA_LEN, 0);
                    break;
                case MapData.Objects { Kind: var kind }:
                    wire.U32BigEndian(NFTA_SET_OBJ_TYPE, (uint)kind);
                    break;
                default:
                    break;
            }
            if (id is { } stated)
            {
                wire.U32BigEndian(NFTA_SET_ID, stated);
            }
            WriteDescription(wire, set, isObserved: id is null);
            if (set.TimeoutMilliseconds is { } timeout)
            {
                wire.U64BigEndian(NFTA_SET_TIMEOUT, timeout);
            }
            if (set.GarbageCollectionMilliseconds is { } interval)
            {
                wire.U32BigEndian(NFTA_SET_GC_INTERVAL, interval);
            }
            wire.Bytes(NFTA_SET_USERDATA, userData);
            var writer = new ExpressionWriter(wire);
            if (set.Statements.Count == 1)
            {
                writer.Expression(NFTA_SET_EXPR, set.Statements[0]);
            }
            else if (set.Statements.Count > 1)
            {
                writer.List(NFTA_SET_EXPRESSIONS, set.Statements.AsSpan());
            }
        }
    }

    // The kernel wants the parts' lengths for intervals over several parts, and only for those; it tells of all that it was told.
    private static void WriteDescription(NetlinkWriter wire, SetEntry set, bool isObserved)
    {
        var hasLengths = set.Schema.IsConcatenation && (set.Schema.IsInterval || isObserved);
        if (set.Size is null && !hasLengths)
        {
            return;
        }
        using (wire.Nest(NFTA_SET_DESC))
        {
            if (set.Size is { } size)
            {
                wire.U32BigEndian(NFTA_SET_DESC_SIZE, size);
            }
            if (hasLengths)
            {
                using (wire.Nest(NFTA_SET_DESC_CONCAT))
                {
                    foreach (var field in set.Schema.Key)
                    {
                        using (wire.Nest(NFTA_LIST_ELEM))
                        {
                            wire.U32BigEndian(NFTA_SET_FIELD_LEN, (uint)field.Bytes);
                        }
                    }
                }
            }
        }
    }

    public static void WriteDelete(NetlinkWriter wire, SetSchema set)
    {
        using (NftWire.Open(wire, NftMessage.DeleteSet, set.Table.Family))
        {
            wire.Text(NFTA_SET_TABLE, set.Table.Name);
            wire.Text(NFTA_SET_NAME, set.Name);
        }
    }

    private static uint WireFlags(SetEntry set) => (uint)set.Schema.Flags
        | (set.Schema.Data is MapData.Fields or MapData.Verdicts ? NFT_SET_MAP : 0)
        | (set.Schema.Data is MapData.Objects ? NFT_SET_OBJECT : 0)
        | (set.Schema is { IsConcatenation: true, IsInterval: true } ? NFT_SET_CONCAT : 0)
        | (set.Statements.Count > 0 ? NFT_SET_EXPR : 0);

    private static uint TypeNumber(ValueList<SetField> fields)
    {
        uint number = 0;
        foreach (var field in fields)
        {
            number = (number << DataType.IdBits) | field.Type.Id;
        }
        return number;
    }

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static ObservedSet Read(NetlinkMessage message, NamespaceId space)
    {
        string? table = null, name = null;
        uint flags = 0, keyType = 0, keyLength = 0, dataType = 0, dataLength = 0, objectKind = 0;
        uint? size = null, garbageCollection = null;
        ulong? timeout = null;
        ulong handle = 0;
        ReadOnlySpan<byte> userData = [];
        List<int> lengths = [];
        List<Expression> statements = [];
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWSET", out _))
        {
            switch (attribute.Type)
            {
                case NFTA_SET_TABLE:
                    table = attribute.Text("NFTA_SET_TABLE");
                    break;
                case NFTA_SET_NAME:
                    name = attribute.Text("NFTA_SET_NAME");
                    break;
                case NFTA_SET_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_SET_FLAGS");
                    break;
                case NFTA_SET_KEY_TYPE:
                    keyType = attribute.U32BigEndian("NFTA_SET_KEY_TYPE");
                    break;
                case NFTA_SET_KEY_LEN:
                    keyLength = attribute.U32BigEndian("NFTA_SET_KEY_LEN");
                    break;
                case NFTA_SET_DATA_TYPE:
                    dataType = attribute.U32BigEndian("NFTA_SET_DATA_TYPE");
                    break;
                case NFTA_SET_DATA_LEN:
                    dataLength = attribute.U32BigEndian("NFTA_SET_DATA_LEN");
                    break;
                case NFTA_SET_DESC:
                    size = ReadDescription(attribute, lengths);
                    break;
                case NFTA_SET_TIMEOUT:
                    timeout = attribute.U64BigEndian("NFTA_SET_TIMEOUT");
                    break;
                case NFTA_SET_GC_INTERVAL:
                    garbageCollection = attribute.U32BigEndian("NFTA_SET_GC_INTERVAL");
                    break;
                case NFTA_SET_USERDATA:
                    userData = attribute.Value;
                    break;
                case NFTA_SET_OBJ_TYPE:
                    objectKind = attribute.U32BigEndian("NFTA_SET_OBJ_TYPE");
                    break;
                case NFTA_SET_HANDLE:
                    handle = attribute.U64BigEndian("NFTA_SET_HANDLE");
                    break;
                case NFTA_SET_EXPR:
                    statements.Add(ExpressionReader.Read(attribute));
                    break;
                case NFTA_SET_EXPRESSIONS:
                    ExpressionReader.ReadList(attribute, "NFTA_SET_EXPRESSIONS", statements);
                    break;
                default:
                    break;
            }
        }
        if (table is null || name is null)
        {
            throw NftWire.Missing("NFTA_SET_NAME", message);
        }
        MapData? data = (flags & NFT_SET_OBJECT) != 0 ? new MapData.Objects((ObjectKind)objectKind)
            : (flags & NFT_SET_MAP) == 0 ? null
            : dataType == NFT_DATA_VERDICT ? new MapData.Verdicts()
            : new MapData.Fields(Fields(dataType, dataLength, SetUserData.ReadData(userData), []));
        var schema = new SetSchema(
            new TableId((TableFamily)message.Payload[0], table),
            name,
            Fields(keyType, keyLength, SetUserData.ReadKey(userData), lengths))
        {
            Data = data,
            Flags = (SetFlags)(flags & StatedFlags),
        };
        var set = new SetEntry(space, schema)
        {
            TimeoutMilliseconds = timeout is 0 ? null : timeout,
            GarbageCollectionMilliseconds = garbageCollection is 0 ? null : garbageCollection,
            Size = size,
            Statements = [.. statements],
            AutoMerge = SetUserData.ReadAutoMerge(userData),
        };
        return new ObservedSet(set, (flags & NFT_SET_ANONYMOUS) != 0, UserData.Comment(userData, UserData.CommentOfSet), handle);
    }

    private static uint? ReadDescription(NetlinkAttribute description, List<int> lengths)
    {
        uint? size = null;
        foreach (var attribute in description.Nested("NFTA_SET_DESC"))
        {
            if (attribute.Type == NFTA_SET_DESC_SIZE)
            {
                size = attribute.U32BigEndian("NFTA_SET_DESC_SIZE");
            }
            else if (attribute.Type == NFTA_SET_DESC_CONCAT)
            {
                foreach (var field in attribute.Nested("NFTA_SET_DESC_CONCAT"))
                {
                    foreach (var length in field.Nested("NFTA_LIST_ELEM"))
                    {
                        if (length.Type == NFTA_SET_FIELD_LEN)
                        {
                            lengths.Add((int)length.U32BigEndian("NFTA_SET_FIELD_LEN"));
                        }
                    }
                }
            }
        }
        return size is 0 ? null : size;
    }

    // Widths come from the types, from `typeof`, from the description, or are what is left of the whole.
    private static ValueList<SetField> Fields(uint typeNumber, uint totalBytes, List<Selector>? selectors, List<int> lengths)
    {
        var types = new List<DataType>();
        for (var rest = typeNumber; rest != 0; rest >>= DataType.IdBits)
        {
            types.Insert(0, DataType.FromId((byte)(rest & ((1 << DataType.IdBits) - 1))));
        }
        if (types.Count == 0)
        {
            types.Add(DataType.Integer);
        }
        var isTypeof = selectors is not null && selectors.Count == types.Count;
        var fields = new SetField[types.Count];
        var left = (int)Math.Min(totalBytes, 256);
        for (var i = 0; i < fields.Length; i++)
        {
            var selector = isTypeof ? selectors![i] : null;
            var bits = selector is not null && selector.Type == types[i] ? selector.Bits
                : types[i].Bits > 0 ? types[i].Bits
                : i < lengths.Count ? lengths[i] * 8
                : fields.Length == 1 || i == fields.Length - 1 ? left * 8
                : 32;
            fields[i] = new SetField(types[i], bits, selector is not null && selector.Type == types[i] ? selector : null);
            left = Math.Max(0, left - fields[i].PaddedBytes);
        }
        return [.. fields];
    }
}
