namespace Plumb.Linux.State;

/// <summary>
/// The short form of an origin that a kernel has room for: a comment on a table, set, element or rule (128 characters), a
/// link's alias (255). Opaque here; whoever plans gives it a meaning. A foreign one is a label and never trusted.
/// </summary>
public readonly record struct Stamp(string Text)
{
    public override string ToString() => Text;
}

/// <summary>Who an observed entry belongs to. Only <see cref="Plumb"/>'s are ever changed or removed.</summary>
public enum Owner : byte
{
    /// <summary>Planned by Plumb: table <c>plumb</c>, route protocol 112, an alias that begins with <c>plumb:</c>, and what hangs on those links.</summary>
    Plumb = 1,

    /// <summary>The kernel makes it itself: loopback, local routes, connected routes, multicast entries.</summary>
    Kernel,

    /// <summary>Somebody else's: an administrator, another plugin, the lab's builder.</summary>
    Foreign,
}

/// <summary>What the kernel tells about an entry beyond its value; never compared.</summary>
/// <param name="Index">ifindex of a link; 0 where there is none.</param>
/// <param name="Handle">nftables handle; 0 where there is none.</param>
public sealed record KernelFacts(int Index = 0, ulong Handle = 0)
{
    /// <summary>Packets and bytes that a counter has seen; null where nothing counts.</summary>
    public TrafficCount? Counted { get; init; }

    /// <summary>Of a link: something is at its other end (IFF_LOWER_UP); null for all else.</summary>
    public bool? Carrier { get; init; }

    /// <summary>Of a link: somebody wants all its frames, whomever they are for (a bridge, a capture, a device that sits on it); null for all else.</summary>
    public bool? Promiscuous { get; init; }

    /// <summary>ifindex of a veth's other end (IFLA_LINK); null for all else.</summary>
    public int? PeerIndex { get; init; }

    /// <summary>The number by which this namespace knows that of the other end (IFLA_LINK_NETNSID); null: it is this one, or there is no other end.</summary>
    public int? PeerNamespaceNumber { get; init; }
}

/// <summary>What a counter has seen.</summary>
public readonly record struct TrafficCount(ulong Packets, ulong Bytes);

/// <summary>An entry with the stamp that it shall carry: equal to every other that asks the kernel for the same. Who plans may keep more with it.</summary>
public class Desired(Entry entry, Stamp? stamp = null) : IEquatable<Desired>
{
    public Entry Entry => entry;

    public Stamp? Stamp => stamp;

    public bool Equals(Desired? other) => other is not null && Stamp == other.Stamp && Entry.Equals(other.Entry);

    public sealed override bool Equals(object? obj) => Equals(obj as Desired);

    public sealed override int GetHashCode() => HashCode.Combine(Entry, Stamp);

    public override string ToString() => Stamp is { } own ? $"{Entry} \"{own}\"" : Entry.ToString();
}

/// <summary>An entry as the kernel holds it.</summary>
public sealed record Observed(Entry Entry, Owner Owner, Stamp? Stamp, KernelFacts Facts);

/// <summary>What one or several kernels' namespaces should hold.</summary>
public sealed class DesiredState
{
    private readonly Dictionary<EntryKey, Desired> _entries = [];

    public int Count => _entries.Count;

    public IReadOnlyDictionary<EntryKey, Desired> Entries => _entries;

    public void Set(Desired desired) => _entries[desired.Entry.Key] = desired;

    public void Set(Entry entry, Stamp? stamp = null) => Set(new Desired(entry, stamp));

    public bool Remove(EntryKey key) => _entries.Remove(key);
}

/// <summary>What one or several kernels' namespaces do hold, whoever put it there.</summary>
public sealed class ObservedState
{
    private readonly Dictionary<EntryKey, Observed> _entries = [];
    private readonly Dictionary<(NamespaceId, EntryKind), string> _unread = [];

    public int Count => _entries.Count;

    public IReadOnlyDictionary<EntryKey, Observed> Entries => _entries;

    /// <summary>Kinds of entry of which some could not be read, and why in one line: that there is none here says nothing.</summary>
    public IReadOnlyDictionary<(NamespaceId Namespace, EntryKind Kind), string> Unread => _unread;

    public void SetUnread(NamespaceId space, EntryKind kind, string reason) => _unread[(space, kind)] = reason;

    public void Set(Observed observed) => _entries[observed.Entry.Key] = observed;

    public bool Remove(EntryKey key) => _entries.Remove(key);
}

/// <summary>The way from what a kernel holds to what it should hold, in no order: whoever applies it knows the kernel's.</summary>
public sealed record Delta(ValueList<DeltaItem> Items, ValueList<Conflict> Conflicts)
{
    public static Delta Nothing { get; } = new([], []);

    public bool IsEmpty => Items.Count == 0;
}

/// <summary>One change of one entry. Only <see cref="Was"/>: remove. Only <see cref="Want"/>: add. Both: change in place, or remove and add where the kernel cannot.</summary>
public sealed record DeltaItem(Desired? Want, Entry? Was)
{
    public EntryKey Key => (Want?.Entry ?? Was!).Key;
}

/// <summary>Something foreign stands where Plumb wants an entry of its own; it is named, never overwritten.</summary>
public sealed record Conflict(Desired Want, Observed Holds);
