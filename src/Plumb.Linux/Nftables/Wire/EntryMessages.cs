using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>
/// One entry as the messages by which the kernel tells of it: a chain with its rules and the sets inside them, an element behind
/// the set that it belongs to. It is the form in which an entry is kept without loss, whatever its expressions are.
/// </summary>
internal static class EntryMessages
{
    public static byte[] Write(Entry entry)
    {
        using var wire = new NetlinkWriter();
        switch (entry)
        {
            case TableEntry table:
                TableMessage.WriteNew(wire, table, comment: null);
                break;
            case ObjectEntry item:
                ObjectMessage.WriteNew(wire, item, comment: null);
                break;
            case SetEntry set:
                SetMessage.WriteObserved(wire, set, set.Schema.Name, anonymous: false);
                break;
            case ElementEntry element:
                SetMessage.WriteObserved(wire, new SetEntry(element.Namespace, element.Set), element.Set.Name, anonymous: false);
                WriteElements(wire, element.Set, element.Set.Name, [element.Element]);
                break;
            case ChainEntry chain:
                WriteChain(wire, chain);
                break;
            default:
                throw new ArgumentException($"{entry.Key} is no entry of nf_tables");
        }
        return wire.Written.ToArray();
    }

    /// <exception cref="NetlinkDecodeException">The messages are cut or malformed, or tell of something else than one entry.</exception>
    public static Entry Read(ReadOnlySpan<byte> messages, NamespaceId space)
    {
        Entry? first = null;
        var open = default(OpenSet);
        var anonymous = new Dictionary<string, AnonymousSet>();
        List<Rule> rules = [];
        foreach (var message in new NetlinkReader(messages))
        {
            switch ((NftMessage)(byte)message.Type)
            {
                case NftMessage.NewTable:
                    first ??= TableMessage.Read(message, space).Entry;
                    break;
                case NftMessage.NewObject:
                    first ??= ObjectMessage.Read(message, space).Entry;
                    break;
                case NftMessage.NewChain:
                    first ??= ChainMessage.Read(message, space).Chain;
                    break;
                case NftMessage.NewSet:
                    open.Close(anonymous);
                    open = new OpenSet(SetMessage.Read(message, space));
                    first ??= open.Set;
                    break;
                case NftMessage.NewElement when open.Elements is { } elements:
                    elements.AddRange(ElementMessage.Read(message));
                    break;
                case NftMessage.NewRule:
                    open.Close(anonymous);
                    open = default;
                    rules.Add(RulesetReader.Resolve(RuleMessage.Read(message).Rule, anonymous.GetValueOrDefault));
                    break;
                default:
                    throw new NetlinkDecodeException("nlmsg_type", $"is {message.Type}, which is no part of an entry", message.Payload);
            }
        }
        return first switch
        {
            ChainEntry chain => chain with { Rules = [.. rules] },
            SetEntry set when open.Elements is { Count: > 0 } elements => ElementOf(set, elements, messages),
            not null => first,
            null => throw new NetlinkDecodeException("nlmsghdr", "is missing", messages),
        };
    }

    private static ElementEntry ElementOf(SetEntry set, List<WireElement> elements, ReadOnlySpan<byte> messages) =>
        ElementMessage.Join(set, elements) is [var (element, _)]
            ? new ElementEntry(set.Namespace, set.Schema, element)
            : throw new NetlinkDecodeException("NFTA_SET_ELEM_LIST_ELEMENTS", "is not one element", messages);

    private static void WriteChain(NetlinkWriter wire, ChainEntry chain)
    {
        ChainMessage.WriteNew(wire, chain, comment: null);
        var writer = new ExpressionWriter(wire) { NamesAnonymous = true };
        uint id = 0;
        foreach (var rule in chain.Rules)
        {
            foreach (var expression in rule.Expressions)
            {
                if (expression.Inline is { } set)
                {
                    var name = set.NameInKernel(id);
                    var schema = set.Schema with { Table = chain.Table };
                    SetMessage.WriteObserved(wire, new SetEntry(chain.Namespace, schema), name, anonymous: true);
                    WriteElements(wire, schema, name, set.Elements.AsSpan());
                    writer.AnonymousIds.Enqueue(id++);
                }
            }
            RuleMessage.WriteObserved(writer, chain, rule);
        }
    }

    private static void WriteElements(NetlinkWriter wire, SetSchema schema, string name, ReadOnlySpan<SetElement> elements)
    {
        for (var done = 0; done < elements.Length;)
        {
            var start = wire.LengthBytes;
            using (ElementMessage.Open(wire, NftMessage.NewElement, schema, name, setId: null))
            using (ElementMessage.OpenList(wire))
            {
                while (done < elements.Length && wire.LengthBytes - start < ElementMessage.ListBytes)
                {
                    ElementMessage.WriteObserved(wire, schema, elements[done++]);
                }
            }
        }
    }

    /// <summary>A set whose elements may still come.</summary>
    private readonly struct OpenSet(ObservedSet observed)
    {
        public SetEntry Set => observed.Set;

        public List<WireElement>? Elements { get; } = [];

        public void Close(Dictionary<string, AnonymousSet> anonymous)
        {
            if (Elements is null || !observed.IsAnonymous)
            {
                return;
            }
            var joined = ElementMessage.Join(observed.Set, Elements);
            var items = joined.ConvertAll(static item => item.Element);
            anonymous[observed.Set.Schema.Name] = new AnonymousSet(observed.Set.Schema, [.. items]);
        }
    }
}
