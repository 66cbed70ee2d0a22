using System.Buffers.Binary;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>
/// What nft keeps with a set: the byte order of key and data, where their values come from (<c>typeof</c>), whether neighbours are
/// to be joined, the comment. Numbers in it are 32 bits in host order.
/// </summary>
internal static class SetUserData
{
    private const byte KeyByteOrder = 0;
    private const byte DataByteOrder = 1;
    private const byte MergeElements = 2;
    private const byte KeyTypeof = 3;
    private const byte DataTypeof = 4;
    private const byte DataInterval = 6;

    private const byte TypeofKind = 0;
    private const byte TypeofData = 1;

    // nft's enum expr_types.
    private const uint OfVerdict = 1;
    private const uint OfPayload = 7;
    private const uint OfMeta = 9;
    private const uint OfSocket = 10;
    private const uint OfConntrack = 12;
    private const uint OfConcatenation = 13;
    private const uint OfNumberGenerator = 23;
    private const uint OfRoute = 25;
    private const uint OfFib = 26;

    public static byte[] Write(SetEntry set, string? comment)
    {
        var items = new List<byte>(64);
        var schema = set.Schema;
        Put(items, KeyByteOrder, (uint)OrderOf(schema.Key));
        var data = (schema.Data as MapData.Fields)?.Items;
        if (schema.Data is not null)
        {
            Put(items, DataByteOrder, data is { } fields ? (uint)OrderOf(fields) : 0);
        }
        if (Typeof(schema.Key) is { } key && (data is null || Typeof(data.Value) is not null))
        {
            Put(items, KeyTypeof, key);
            if (data is { } values)
            {
                Put(items, DataTypeof, Typeof(values)!);
            }
            else if (schema.Data is MapData.Verdicts)
            {
                List<byte> verdict = [];
                Put(verdict, TypeofKind, OfVerdict);
                Put(verdict, TypeofData, []);
                Put(items, DataTypeof, verdict);
            }
        }
        if (schema.IsInterval)
        {
            Put(items, MergeElements, set.AutoMerge ? 1u : 0);
        }
        if (schema.Data is not null)
        {
            Put(items, DataInterval, 0);
        }
        if (comment is not null)
        {
            Span<byte> text = stackalloc byte[160];
            items.AddRange(text[..UserData.PutComment(text, UserData.CommentOfSet, comment)]);
        }
        return [.. items];
    }

    public static bool ReadAutoMerge(ReadOnlySpan<byte> userData) => Number(UserData.Find(userData, MergeElements)) == 1;

    public static ByteOrder ReadKeyOrder(ReadOnlySpan<byte> userData) => (ByteOrder)(Number(UserData.Find(userData, KeyByteOrder)) ?? 0);

    /// <summary>Where the key's parts come from; null: not said, or not in words that Plumb has.</summary>
    public static List<Selector>? ReadKey(ReadOnlySpan<byte> userData) => ReadTypeof(UserData.Find(userData, KeyTypeof));

    public static List<Selector>? ReadData(ReadOnlySpan<byte> userData) => ReadTypeof(UserData.Find(userData, DataTypeof));

    private static ByteOrder OrderOf(ValueList<SetField> fields) => fields.Count == 1 ? fields[0].Order : ByteOrder.None;

    private static List<byte>? Typeof(ValueList<SetField> fields)
    {
        var parts = new List<List<byte>>();
        foreach (var field in fields)
        {
            if (field.Typeof is not { } selector || Encode(selector) is not { } part)
            {
                return null;
            }
            parts.Add(part);
        }
        if (parts.Count == 1)
        {
            return parts[0];
        }
        var inner = new List<byte>();
        for (var i = 0; i < parts.Count; i++)
        {
            Put(inner, (byte)i, parts[i]);
        }
        return Expression(OfConcatenation, inner);
    }

    private static List<byte>? Encode(Selector selector) => selector switch
    {
        HeaderField field => Expression(OfPayload, (uint)field.Header, field.Template),
        MetaField meta => Expression(OfMeta, (uint)meta.Key),
        ConntrackField ct => Expression(OfConntrack, (uint)ct.Key, ct.Direction is { } direction ? (uint)direction : uint.MaxValue),
        NumberGenerator number => Expression(OfNumberGenerator, (uint)number.Source, number.Modulus, number.Offset),
        FibField fib => Expression(OfFib, (uint)fib.Result, (uint)fib.Flags),
        SocketField socket => Expression(OfSocket, (uint)socket.Key, socket.Level ?? 0),
        RouteField route => Expression(OfRoute, (uint)route.Key),
        _ => null,
    };

    private static List<byte> Expression(uint kind, params ReadOnlySpan<uint> numbers)
    {
        var inner = new List<byte>();
        for (var i = 0; i < numbers.Length; i++)
        {
            Put(inner, (byte)i, numbers[i]);
        }
        return Expression(kind, inner);
    }

    private static List<byte> Expression(uint kind, List<byte> inner)
    {
        var outer = new List<byte>();
        Put(outer, TypeofKind, kind);
        Put(outer, TypeofData, inner);
        return outer;
    }

    private static List<Selector>? ReadTypeof(ReadOnlySpan<byte> expression)
    {
        var data = UserData.Find(expression, TypeofData);
        if (Number(UserData.Find(expression, TypeofKind)) is not { } kind)
        {
            return null;
        }
        if (kind != OfConcatenation)
        {
            return Decode(kind, data) is { } single ? [single] : null;
        }
        var parts = new List<Selector>();
        for (byte i = 0; UserData.Find(data, i) is { IsEmpty: false } part; i++)
        {
            if (Number(UserData.Find(part, TypeofKind)) is not { } partKind
                || Decode(partKind, UserData.Find(part, TypeofData)) is not { } selector)
            {
                return null;
            }
            parts.Add(selector);
        }
        return parts;
    }

    private static Selector? Decode(uint kind, ReadOnlySpan<byte> data)
    {
        if (Number(UserData.Find(data, 0)) is not { } first)
        {
            return null;
        }
        var second = Number(UserData.Find(data, 1));
        return kind switch
        {
            OfPayload => second is { } template ? HeaderFields.ByTemplate((Header)first, template) : null,
            OfMeta => MetaField.Knows((MetaKey)first) ? MetaField.Of((MetaKey)first) : null,
            OfConntrack => ConntrackField.Knows((ConntrackKey)first)
                ? new ConntrackField((ConntrackKey)first, second is null or uint.MaxValue ? null : (ConntrackDirection)second)
                : null,
            OfNumberGenerator => new NumberGenerator((NumberSource)first, second ?? 0, Number(UserData.Find(data, 2)) ?? 0),
            OfFib => new FibField((FibFlags)(second ?? 0), (FibResult)first),
            OfSocket => new SocketField((SocketKey)first, (SocketKey)first == SocketKey.Cgroup2 ? second : null),
            OfRoute => new RouteField((RouteKey)first),
            _ => null,
        };
    }

    private static uint? Number(ReadOnlySpan<byte> value) =>
        value.Length != 4 ? null : BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(value) : BinaryPrimitives.ReadUInt32BigEndian(value);

    private static void Put(List<byte> items, byte type, uint number) => Put(items, type, [.. BitConverter.GetBytes(number)]);

    private static void Put(List<byte> items, byte type, List<byte> value)
    {
        items.Add(type);
        items.Add((byte)value.Count);
        items.AddRange(value);
    }
}
