namespace Plumb.Linux.State;

/// <summary>
/// The name of a network namespace within one world: a lab, a node, a snapshot. It says nothing about how the
/// namespace is reached; whoever observes or applies holds the descriptor that belongs to it.
/// </summary>
public readonly record struct NamespaceId(string Name) : IComparable<NamespaceId>
{
    public int CompareTo(NamespaceId other) => string.CompareOrdinal(Name, other.Name);

    public override string ToString() => Name;
}

/// <summary>What kinds of thing a kernel's network state is made of. Numbers leave the process in JSON as names.</summary>
public enum EntryKind : byte
{
    Link = 1,
    Address,
    Route,
    Rule,
    Neighbour,
    Fdb,
    Sysctl,
    Table,
    Chain,
    Set,
    Element,
    Object,
    IptablesChain,
    IptablesRule,
    Qdisc,
    Filter,
}

/// <summary>
/// What makes two entries the same thing with perhaps different values: namespace, kind and the kernel's own natural key,
/// in the words of the tool that shows it (<c>10.244.2.0/24 table main metric 0</c>, <c>ip plumb frontends 10.96.0.10 . tcp . 53</c>).
/// </summary>
public readonly record struct EntryKey(NamespaceId Namespace, EntryKind Kind, string Name) : IComparable<EntryKey>
{
    public int CompareTo(EntryKey other)
    {
        var byNamespace = Namespace.CompareTo(other.Namespace);
        if (byNamespace != 0)
        {
            return byNamespace;
        }
        var byKind = Kind.CompareTo(other.Kind);
        return byKind != 0 ? byKind : string.CompareOrdinal(Name, other.Name);
    }

    public override string ToString() => $"{Namespace}: {Kind.ToString().ToLowerInvariant()} {Name}";
}
