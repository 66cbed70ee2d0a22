using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>An element as it stands on the wire; of an interval over one part two of these make one element.</summary>
internal readonly record struct WireElement(SetElement Element, string? Comment, bool IsIntervalEnd);

/// <summary>NFT_MSG_NEWSETELEM and DELSETELEM. One message carries many elements.</summary>
internal static class ElementMessage
{
    private const ushort NFTA_SET_ELEM_LIST_TABLE = 1;
    private const ushort NFTA_SET_ELEM_LIST_SET = 2;
    private const ushort NFTA_SET_ELEM_LIST_ELEMENTS = 3;
    private const ushort NFTA_SET_ELEM_LIST_SET_ID = 4;
    private const ushort NFTA_LIST_ELEM = 1;

    private const ushort NFTA_SET_ELEM_KEY = 1;
    private const ushort NFTA_SET_ELEM_DATA = 2;
    private const ushort NFTA_SET_ELEM_FLAGS = 3;
    private const ushort NFTA_SET_ELEM_TIMEOUT = 4;
    private const ushort NFTA_SET_ELEM_EXPIRATION = 5;
    private const ushort NFTA_SET_ELEM_USERDATA = 6;
    private const ushort NFTA_SET_ELEM_EXPR = 7;
    private const ushort NFTA_SET_ELEM_OBJREF = 9;
    private const ushort NFTA_SET_ELEM_KEY_END = 10;
    private const ushort NFTA_SET_ELEM_EXPRESSIONS = 11;

    private const uint NFT_SET_ELEM_INTERVAL_END = 1;
    private const uint NFT_SET_ELEM_CATCHALL = 2;

    /// <summary>Elements in one message: their list's length is 16 bits, and the longest (two keys of 64 bytes, data, a comment) take some 400 bytes.</summary>
    public const int ListBytes = 48 << 10;

    /// <summary>Opens a message about elements; write them with <see cref="WriteElement"/> within <see cref="OpenList"/>.</summary>
    public static NetlinkWriter.MessageScope Open(NetlinkWriter wire, NftMessage message, SetSchema set, string name, uint? setId)
    {
        var scope = NftWire.Open(wire, message, set.Table.Family, message == NftMessage.NewElement ? NetlinkFlags.Create : NetlinkFlags.None);
        wire.Text(NFTA_SET_ELEM_LIST_TABLE, set.Table.Name);
        wire.Text(NFTA_SET_ELEM_LIST_SET, name);
        if (setId is { } id)
        {
            wire.U32BigEndian(NFTA_SET_ELEM_LIST_SET_ID, id);
        }
        return scope;
    }

    public static NetlinkWriter.NestScope OpenList(NetlinkWriter wire) => wire.Nest(NFTA_SET_ELEM_LIST_ELEMENTS);

    /// <summary>Writes one element: one item, or two for an interval over one part.</summary>
    public static void WriteElement(NetlinkWriter wire, SetSchema set, SetElement element, string? comment, bool deletes) =>
        Write(wire, set, element, comment, deletes, expires: null);

    /// <summary>An element as the kernel tells of it: with what is left of its time.</summary>
    public static void WriteObserved(NetlinkWriter wire, SetSchema set, SetElement element) =>
        Write(wire, set, element, comment: null, deletes: false, element.ExpiresMilliseconds);

    private static void Write(NetlinkWriter wire, SetSchema set, SetElement element, string? comment, bool deletes, ulong? expires)
    {
        var isPair = set.IsInterval && !set.IsConcatenation && !element.IsCatchAll;
        using (wire.Nest(NFTA_LIST_ELEM))
        {
            if (element.IsCatchAll)
            {
                wire.U32BigEndian(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_CATCHALL);
            }
            else
            {
                DataAttribute.Write(wire, NFTA_SET_ELEM_KEY, element.Key.Span);
            }
            if (set.IsInterval && set.IsConcatenation && !element.IsCatchAll)
            {
                DataAttribute.Write(wire, NFTA_SET_ELEM_KEY_END, (element.IsRange ? element.Last : element.Key).Span);
            }
            if (!deletes)
            {
                WriteRest(wire, element, comment);
            }
            if (expires is { } left)
            {
                wire.U64BigEndian(NFTA_SET_ELEM_EXPIRATION, left);
            }
        }
        if (isPair && After(element.IsRange ? element.Last : element.Key) is { } end)
        {
            using (wire.Nest(NFTA_LIST_ELEM))
            {
                wire.U32BigEndian(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
                DataAttribute.Write(wire, NFTA_SET_ELEM_KEY, end);
            }
        }
    }

    private static void WriteRest(NetlinkWriter wire, SetElement element, string? comment)
    {
        if (element.Verdict is { } verdict)
        {
            DataAttribute.Write(wire, NFTA_SET_ELEM_DATA, verdict);
        }
        else if (!element.Data.IsEmpty)
        {
            DataAttribute.Write(wire, NFTA_SET_ELEM_DATA, element.Data.Span);
        }
        if (element.ObjectName is { } name)
        {
            wire.Text(NFTA_SET_ELEM_OBJREF, name);
        }
        if (element.TimeoutMilliseconds is { } timeout)
        {
            wire.U64BigEndian(NFTA_SET_ELEM_TIMEOUT, timeout);
        }
        UserData.WriteComment(wire, NFTA_SET_ELEM_USERDATA, comment);
        if (element.Statements.Count == 1)
        {
            new ExpressionWriter(wire).Expression(NFTA_SET_ELEM_EXPR, element.Statements[0]);
        }
        else if (element.Statements.Count > 1)
        {
            new ExpressionWriter(wire).List(NFTA_SET_ELEM_EXPRESSIONS, element.Statements.AsSpan());
        }
    }

    // One more than an inclusive end; null behind the last value of all, where the kernel wants no end.
    private static byte[]? After(Octets last)
    {
        var bytes = last.Span.ToArray();
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            if (++bytes[i] != 0)
            {
                return bytes;
            }
        }
        return null;
    }

    private static Octets Before(Octets end)
    {
        var bytes = end.Span.ToArray();
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            if (bytes[i]-- != 0)
            {
                break;
            }
        }
        return Octets.Adopt(bytes);
    }

    public static void WriteGet(NetlinkWriter wire, SetSchema set)
    {
        using (NftWire.Open(wire, NftMessage.GetElement, set.Table.Family, NetlinkFlags.Dump))
        {
            wire.Text(NFTA_SET_ELEM_LIST_TABLE, set.Table.Name);
            wire.Text(NFTA_SET_ELEM_LIST_SET, set.Name);
        }
    }

    /// <summary>A request for one element by its key; null: for the one that stands for all other keys.</summary>
    public static void WriteGet(NetlinkWriter wire, SetSchema set, Octets? key)
    {
        using (Open(wire, NftMessage.GetElement, set, set.Name, setId: null))
        using (OpenList(wire))
        {
            Write(wire, set, key is { } wanted ? new SetElement(wanted) : new SetElement(default) { IsCatchAll = true }, comment: null, deletes: true, expires: null);
        }
    }

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static List<WireElement> Read(NetlinkMessage message)
    {
        var elements = new List<WireElement>();
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWSETELEM", out _))
        {
            if (attribute.Type == NFTA_SET_ELEM_LIST_ELEMENTS)
            {
                foreach (var item in attribute.Nested("NFTA_SET_ELEM_LIST_ELEMENTS"))
                {
                    elements.Add(ReadElement(item));
                }
            }
        }
        return elements;
    }

    private static WireElement ReadElement(NetlinkAttribute item)
    {
        Octets key = default, last = default, data = default;
        Verdict? verdict = null;
        string? comment = null, objectName = null;
        uint flags = 0;
        ulong? timeout = null, expires = null;
        List<Expression>? statements = null;
        foreach (var attribute in item.Nested("NFTA_LIST_ELEM"))
        {
            switch (attribute.Type)
            {
                case NFTA_SET_ELEM_KEY:
                    key = DataAttribute.ReadValue(attribute, "NFTA_SET_ELEM_KEY");
                    break;
                case NFTA_SET_ELEM_DATA:
                    (data, verdict) = DataAttribute.Read(attribute, "NFTA_SET_ELEM_DATA");
                    break;
                case NFTA_SET_ELEM_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_SET_ELEM_FLAGS");
                    break;
                case NFTA_SET_ELEM_TIMEOUT:
                    timeout = attribute.U64BigEndian("NFTA_SET_ELEM_TIMEOUT");
                    break;
                case NFTA_SET_ELEM_EXPIRATION:
                    expires = attribute.U64BigEndian("NFTA_SET_ELEM_EXPIRATION");
                    break;
                case NFTA_SET_ELEM_USERDATA:
                    comment = UserData.Comment(attribute.Value, UserData.CommentOfOthers);
                    break;
                case NFTA_SET_ELEM_EXPR:
                    (statements ??= []).Add(ExpressionReader.Read(attribute));
                    break;
                case NFTA_SET_ELEM_OBJREF:
                    objectName = attribute.Text("NFTA_SET_ELEM_OBJREF");
                    break;
                case NFTA_SET_ELEM_KEY_END:
                    last = DataAttribute.ReadValue(attribute, "NFTA_SET_ELEM_KEY_END");
                    break;
                case NFTA_SET_ELEM_EXPRESSIONS:
                    ExpressionReader.ReadList(attribute, "NFTA_SET_ELEM_EXPRESSIONS", statements ??= []);
                    break;
                default:
                    break;
            }
        }
        var element = new SetElement(key)
        {
            Last = last == key ? default : last,
            IsCatchAll = (flags & NFT_SET_ELEM_CATCHALL) != 0,
            Data = data,
            Verdict = verdict,
            ObjectName = objectName,
            TimeoutMilliseconds = timeout,
            ExpiresMilliseconds = expires,
            Statements = statements is null ? [] : [.. statements],
        };
        return new WireElement(element, comment, (flags & NFT_SET_ELEM_INTERVAL_END) != 0);
    }

    /// <summary>Puts the two ends of intervals together, and leaves out timeouts that are the set's own.</summary>
    public static List<(SetElement Element, string? Comment)> Join(SetEntry set, List<WireElement> wire)
    {
        var elements = new List<(SetElement, string?)>(wire.Count);
        if (!set.Schema.IsInterval || set.Schema.IsConcatenation)
        {
            foreach (var item in wire)
            {
                elements.Add((Canonical(item.Element), item.Comment));
            }
            return elements;
        }
        // An end stands before the beginning of the next interval at the same key.
        wire.Sort(static (a, b) =>
        {
            var byKey = a.Element.Key.CompareTo(b.Element.Key);
            return byKey != 0 ? byKey : b.IsIntervalEnd.CompareTo(a.IsIntervalEnd);
        });
        for (var i = 0; i < wire.Count; i++)
        {
            if (wire[i].IsIntervalEnd)
            {
                continue;
            }
            var element = Canonical(wire[i].Element);
            if (!element.IsCatchAll)
            {
                var last = i + 1 < wire.Count ? Before(wire[i + 1].Element.Key) : AllOnes(element.Key.Length);
                element = element with { Last = last == element.Key ? default : last };
            }
            elements.Add((element, wire[i].Comment));
        }
        return elements;

        SetElement Canonical(SetElement element) =>
            element.TimeoutMilliseconds is { } timeout && timeout == set.TimeoutMilliseconds ? element with { TimeoutMilliseconds = null } : element;
    }

    private static Octets AllOnes(int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(0xff);
        return Octets.Adopt(bytes);
    }
}
