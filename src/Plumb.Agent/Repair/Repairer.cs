using Plumb.Agent.Kernel;
using Plumb.Agent.Running;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Repair;

/// <summary>Something that was not as planned, and what was done about it: becomes an event on the Node object.</summary>
/// <param name="Key">The entry, or the one that holds the others.</param>
/// <param name="Text">One line for a person.</param>
/// <param name="GaveWay">True: somebody keeps undoing it, and it is left so for a while.</param>
internal sealed record RepairReport(EntryKey Key, string Text, bool GaveWay);

/// <summary>
/// Looks at what the node's kernel holds after somebody else wrote there, and puts back what is missing. Own writes do not lead
/// here; and what is as planned is left alone, whoever wrote it.
/// </summary>
internal sealed class Repairer(NodeState state, TimeProvider time, Action<RepairReport> report)
{
    private readonly RepairBackoff _backoff = new(time);

    public static ForeignChange Join(ForeignChange? one, ForeignChange other) =>
        one is null ? other : new ForeignChange(one.Writers.Count == 0 || other.Writers.Count == 0 ? [] : [.. one.Writers.Union(other.Writers)], one.Areas | other.Areas);

    /// <summary>When what was given way to should be tried again; null: nothing waits.</summary>
    public TimeSpan? NextTry() => _backoff.NextTry();

    /// <summary>Compares and repairs.</summary>
    /// <param name="observed">What the node's namespace holds now.</param>
    public void Repair(ObservedState observed, ForeignChange change)
    {
        var delta = state.Kernel.Difference(state.Planner.Desired, observed, [state.Home], change.Areas);
        // Somebody may have made a link of his own where one of ours was: the node says so (NodeTrouble).
        Adoption.Conflicts(state, delta);
        var allowed = state.Allowed(delta.Items);
        if (allowed.Count == 0)
        {
            return;
        }
        var items = new List<DeltaItem>(allowed.Count);
        var held = new List<(DeltaItem Item, RepairVerdict Verdict)>();
        foreach (var item in allowed)
        {
            var verdict = _backoff.Judge(item.Key);
            held.Add((item, verdict));
            if (verdict != RepairVerdict.GiveWay && verdict != RepairVerdict.StillGivingWay)
            {
                items.Add(item);
            }
        }
        AddContainersOf(items);
        var failures = items.Count == 0 ? [] : state.Apply(items);
        var findings = new List<RepairFinding>(held.Count);
        foreach (var (item, verdict) in held)
        {
            if (verdict != RepairVerdict.StillGivingWay)
            {
                findings.Add(Finding(item, verdict, change, failures));
            }
        }
        foreach (var news in RepairNews.Of(findings))
        {
            report(news);
        }
    }

    // A veth pair that is made anew has lost what hung on its other end.
    private void AddContainersOf(List<DeltaItem> items)
    {
        var lost = new HashSet<NamespaceId>();
        foreach (var item in items)
        {
            if (item is { Was: null, Want.Entry: LinkEntry { Type: LinkType.Veth { PeerNamespace: { } inside } } })
            {
                lost.Add(inside);
            }
        }
        foreach (var lease in lost.Count == 0 ? [] : state.Leases.All)
        {
            if (!lost.Remove(lease.NamespaceName))
            {
                continue;
            }
            if (state.Enter(lease))
            {
                var name = lease.NamespaceName;
                items.AddRange(state.Kernel.Difference(state.Planner.Desired, state.Observe(name), [name]).Items);
            }
            else
            {
                // The container ended; the kernel took the pair with it, and DEL will come.
                items.RemoveAll(item => state.Planner.Index.Why(item.Key).Contains(lease.ToSandbox().Origin));
            }
        }
    }

    private RepairFinding Finding(DeltaItem item, RepairVerdict verdict, ForeignChange change, IReadOnlyList<EntryFailure> failures)
    {
        var happened = item switch
        {
            { Want: not null, Was: null } => "was removed",
            { Want: not null, Was: { Kind: EntryKind.Chain or EntryKind.Set or EntryKind.Object or EntryKind.IptablesChain } } => "was changed",
            { Want: not null } => $"was changed to '{item.Was!.Print()}'",
            _ => "was added in Plumb's name and is nobody's",
        };
        var done = (item, verdict) switch
        {
            (_, RepairVerdict.GiveWay) => $"left so for {_backoff.PauseOf(item.Key).TotalSeconds:0} s, because {Writers(change)} keeps undoing the repair",
            ({ Want: null }, _) => "removed",
            _ => "restored",
        };
        foreach (var failure in failures)
        {
            if (failure.Key == item.Key)
            {
                done = $"not restored: {failure.Message}";
            }
        }
        return new RepairFinding(
            item.Want?.Entry ?? item.Was!, string.Join(", ", state.Planner.Index.Why(item.Key)), happened, done, verdict == RepairVerdict.GiveWay);
    }

    private static string Writers(ForeignChange change)
    {
        var names = change.Writers.Where(static id => id != 0).Select(WriterName.Of).ToList();
        return names.Count == 0 ? "somebody" : string.Join(", ", names);
    }
}
