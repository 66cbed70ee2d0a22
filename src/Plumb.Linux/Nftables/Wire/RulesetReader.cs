using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>Reads all of nf_tables in one network namespace as one moment's picture.</summary>
internal sealed class RulesetReader(NetlinkSocket socket, NamespaceId space)
{
    /// <summary>False: of sets with a name only what they are is read, not what is in them.</summary>
    public bool ReadsElements { get; init; } = true;

    private static readonly KernelFacts _none = new();

    private const int Attempts = 16;
    private const ushort NFTA_GEN_ID = 1;

    /// <summary>All entries in the kernel's order, and the generation that they belong to.</summary>
    /// <remarks>Several dumps make the picture; it is taken again when the generation has moved meanwhile.</remarks>
    /// <exception cref="NetlinkDumpInterruptedException">It moved each time.</exception>
    public (List<Observed> Entries, uint Generation) Read()
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var generation = Generation(socket);
            try
            {
                var entries = ReadOnce();
                if (Generation(socket) == generation)
                {
                    return (entries, generation);
                }
            }
            catch (NetlinkException gone) when (gone.Errno == Native.Errno.ENOENT)
            {
                // A set or table went between two dumps.
            }
        }
        throw new NetlinkDumpInterruptedException(Attempts);
    }

    /// <summary>One dump: what there is at some moment.</summary>
    public List<TableId> ReadTables() =>
        Dump(NftMessage.GetTable, message => TableMessage.Read(message, space)).ConvertAll(static table => ((TableEntry)table.Entry).Table);

    /// <summary>A number that moves with each committed transaction.</summary>
    public static uint Generation(NetlinkSocket socket)
    {
        using var wire = new NetlinkWriter();
        using (NftWire.Open(wire, NftMessage.GetGeneration, 0))
        {
        }
        uint generation = 0;
        socket.Execute(wire, (message, _) =>
        {
            foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWGEN", out var _))
            {
                if (attribute.Type == NFTA_GEN_ID)
                {
                    generation = attribute.U32BigEndian("NFTA_GEN_ID");
                }
            }
        });
        return generation;
    }

    private List<Observed> ReadOnce()
    {
        var entries = Dump(NftMessage.GetTable, message => TableMessage.Read(message, space));
        entries.AddRange(Dump(NftMessage.GetObject, message => ObjectMessage.Read(message, space)));
        var anonymous = new Dictionary<(TableId, string), AnonymousSet>();
        foreach (var set in Dump(NftMessage.GetSet, message => SetMessage.Read(message, space)))
        {
            ReadSet(set, entries, anonymous);
        }
        ReadChains(entries, anonymous);
        return entries;
    }

    private void ReadSet(ObservedSet set, List<Observed> entries, Dictionary<(TableId, string), AnonymousSet> anonymous)
    {
        var schema = set.Set.Schema;
        if (set.IsAnonymous)
        {
            var elements = ElementMessage.Join(set.Set, Elements(schema));
            var items = new SetElement[elements.Count];
            for (var i = 0; i < items.Length; i++)
            {
                items[i] = elements[i].Element;
            }
            anonymous[(schema.Table, schema.Name)] = new AnonymousSet(schema, [.. items]);
            return;
        }
        entries.Add(Ownership.Observe(set.Set, schema.Table, set.Comment, new KernelFacts(Handle: set.Handle)));
        if (ReadsElements)
        {
            ReadElements(set.Set, entries);
        }
    }

    /// <summary>What is in a set.</summary>
    public void ReadElements(SetEntry set, List<Observed> into)
    {
        foreach (var (element, comment) in ElementMessage.Join(set, Elements(set.Schema)))
        {
            into.Add(Observe(set.Schema, element, comment));
        }
    }

    /// <summary>The element that the kernel finds for a key in a set without intervals; null: none.</summary>
    public Observed? FindElement(SetEntry set, Octets key) => Get(set, key) ?? Get(set, key: null);

    private Observed? Get(SetEntry set, Octets? key)
    {
        using var wire = new NetlinkWriter();
        ElementMessage.WriteGet(wire, set.Schema, key);
        var found = new List<WireElement>();
        foreach (var error in socket.TryExecute(wire, (message, _) => found.AddRange(ElementMessage.Read(message))))
        {
            // Linux before 5.13 knows no element that stands for all others.
            if (error.Errno != Native.Errno.ENOENT && !(key is null && error.Errno == Native.Errno.EINVAL))
            {
                throw new NetlinkException([error]);
            }
        }
        if (found.Count == 0)
        {
            return null;
        }
        var (element, comment) = ElementMessage.Join(set, found)[0];
        return Observe(set.Schema, element, comment);
    }

    private Observed Observe(SetSchema set, SetElement element, string? comment)
    {
        // What packets put into a set is nobody's plan.
        var owner = (set.Flags & SetFlags.Dynamic) != 0 ? Owner.Kernel : Ownership.Of(set.Table);
        var facts = element.Statements.Count > 0 && element.Statements[0] is CounterExpression counter
            ? new KernelFacts { Counted = new TrafficCount(counter.Packets, counter.Bytes) }
            : _none;
        return new Observed(new ElementEntry(space, set, element), owner, comment is null ? null : new Stamp(comment), facts);
    }

    private List<WireElement> Elements(SetSchema set)
    {
        using var wire = new NetlinkWriter();
        ElementMessage.WriteGet(wire, set);
        var parts = socket.Dump<List<WireElement>>(wire, ElementMessage.Read);
        if (parts.Count == 1)
        {
            return parts[0];
        }
        var all = new List<WireElement>();
        foreach (var part in parts)
        {
            all.AddRange(part);
        }
        return all;
    }

    private void ReadChains(List<Observed> entries, Dictionary<(TableId, string), AnonymousSet> anonymous)
    {
        var chains = Dump(NftMessage.GetChain, message => new ObservedChain(ChainMessage.Read(message, space)));
        var byName = new Dictionary<(TableId, string), ObservedChain>();
        foreach (var chain in chains)
        {
            byName[(chain.Entry.Table, chain.Entry.Name)] = chain;
        }
        foreach (var rule in Dump(NftMessage.GetRule, message => new ObservedRule(RuleMessage.Read(message))))
        {
            if (byName.TryGetValue((rule.Table, rule.Chain), out var chain))
            {
                chain.Rules.Add(Resolve(rule.Rule, name => anonymous.GetValueOrDefault((rule.Table, name))));
            }
        }
        foreach (var chain in chains)
        {
            entries.Add(Ownership.Observe(
                chain.Entry with { Rules = [.. chain.Rules] }, chain.Entry.Table, chain.Comment, new KernelFacts(Handle: chain.Handle)));
        }
    }

    /// <summary>The rule with the sets that belong to it in the place of their names.</summary>
    public static Rule Resolve(Rule rule, Func<string, AnonymousSet?> anonymous)
    {
        var expressions = rule.Expressions.AsSpan();
        Expression[]? changed = null;
        for (var i = 0; i < expressions.Length; i++)
        {
            var resolved = expressions[i].Resolve(anonymous);
            if (!ReferenceEquals(resolved, expressions[i]))
            {
                changed ??= expressions.ToArray();
                changed[i] = resolved;
            }
        }
        return changed is null ? rule : rule with { Expressions = [.. changed] };
    }

    private List<T> Dump<T>(NftMessage request, NetlinkParser<T> parse)
    {
        using var wire = new NetlinkWriter();
        using (NftWire.Open(wire, request, 0, NetlinkFlags.Dump))
        {
        }
        return socket.Dump(wire, parse);
    }

    private sealed class ObservedChain((ChainEntry Chain, string? Comment, ulong Handle) read)
    {
        public ChainEntry Entry { get; } = read.Chain;

        public string? Comment { get; } = read.Comment;

        public ulong Handle { get; } = read.Handle;

        public List<Rule> Rules { get; } = [];
    }

    private sealed class ObservedRule((TableId Table, string Chain, Rule Rule) read)
    {
        public TableId Table { get; } = read.Table;

        public string Chain { get; } = read.Chain;

        public Rule Rule { get; } = read.Rule;
    }
}
