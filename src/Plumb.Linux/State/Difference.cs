using System.Collections.Immutable;
using Plumb.Linux.Iptables;

namespace Plumb.Linux.State;

/// <summary>Compares what kernels should hold with what they do hold.</summary>
public static class Difference
{
    /// <summary>
    /// The smallest delta that turns the observed state into the desired one. What is Plumb's and no longer desired is removed;
    /// what is somebody else's is never touched: where it stands under a desired key with another value, it is a conflict.
    /// </summary>
    /// <param name="desired">All that is desired in the namespaces that were observed.</param>
    /// <param name="observed">All that those namespaces hold of the given kinds.</param>
    /// <param name="kinds">The kinds of entry that were observed; null: all. Others take no part, nor does what could not be read.</param>
    public static Delta Between(DesiredState desired, ObservedState observed, IReadOnlySet<EntryKind>? kinds = null)
    {
        ArgumentNullException.ThrowIfNull(desired);
        ArgumentNullException.ThrowIfNull(observed);
        var items = new List<DeltaItem>();
        var conflicts = ImmutableArray.CreateBuilder<Conflict>();
        foreach (var (key, want) in desired.Entries)
        {
            if ((kinds is not null && !kinds.Contains(key.Kind)) || observed.Unread.ContainsKey((key.Namespace, key.Kind)))
            {
                continue;
            }
            if (!observed.Entries.TryGetValue(key, out var holds))
            {
                items.Add(new DeltaItem(want, null));
            }
            else if (!IsSatisfied(want, holds))
            {
                if (MayChange(holds))
                {
                    items.Add(new DeltaItem(want, holds.Entry));
                }
                else if (!want.Entry.IsSatisfiedBy(holds.Entry))
                {
                    conflicts.Add(new Conflict(want, holds));
                }
            }
        }
        foreach (var (key, holds) in observed.Entries)
        {
            if (holds.Owner == Owner.Plumb && MayRemove(key.Kind) && !desired.Entries.ContainsKey(key))
            {
                items.Add(new DeltaItem(null, holds.Entry));
            }
        }
        LostWithLink.Append(desired, observed, items);
        LeaveTaken(conflicts, items);
        return new Delta(new([.. items]), new(conflicts.DrainToImmutable()));
    }

    // Nothing of ours is put on a device that somebody else made under the name of one that we want.
    private static void LeaveTaken(IReadOnlyList<Conflict> conflicts, List<DeltaItem> items)
    {
        HashSet<(NamespaceId, string)>? taken = null;
        foreach (var conflict in conflicts)
        {
            if (conflict.Want.Entry is LinkEntry link)
            {
                (taken ??= []).Add((link.Namespace, link.Name));
            }
        }
        if (taken is not null)
        {
            items.RemoveAll(item => item.Want?.Entry is { } want
                && ((want is LinkEntry { Master: { } master } && taken.Contains((want.Namespace, master))) || LostWithLink.HangsOn(want, device => taken.Contains((want.Namespace, device)))));
        }
    }

    private static bool IsSatisfied(Desired want, Observed holds) =>
        want.Entry.IsSatisfiedBy(holds.Entry) && (want.Stamp is null || want.Stamp == holds.Stamp || !CarriesStamp(holds));

    /// <summary>Whether the kernel has room for a stamp on this kind of entry.</summary>
    private static bool CarriesStamp(Observed holds) => holds.Entry switch
    {
        LinkEntry { Type: LinkType.Loopback } => false,
        LinkEntry => true,
        _ => holds.Entry.Kind is EntryKind.Table or EntryKind.Set or EntryKind.Element or EntryKind.Object,
    };

    // The loopback device and kernel parameters come with the namespace: they belong to the kernel and are there to be set. What the
    // kernel has learned of a neighbour gives way to what is known. A chain of iptables that holds nothing is not taken from anybody: who flushes a
    // table empties the chain that says whose the others are, too.
    private static bool MayChange(Observed holds) =>
        holds.Owner == Owner.Plumb
        || holds.Entry.Kind == EntryKind.Sysctl
        || (holds.Owner == Owner.Kernel && holds.Entry.Kind is (EntryKind.Neighbour or EntryKind.Fdb))
        || holds.Entry is LinkEntry { Type: LinkType.Loopback }
        || holds.Entry is IptablesChainEntry { IsBuiltIn: false, Rules.Count: 0 };

    // A parameter has a value as long as its device lives; nobody knows which one it had before.
    private static bool MayRemove(EntryKind kind) => kind != EntryKind.Sysctl;
}
