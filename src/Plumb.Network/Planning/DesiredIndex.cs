using Plumb.Linux.State;

namespace Plumb.Network.Planning;

/// <summary>
/// All planned entries by what wants them. An entry lives while any plan key wants it.
/// </summary>
public sealed class DesiredIndex
{
    private readonly Dictionary<PlanKey, PlannedPart> _parts = [];

    // Of the entries that several plan keys want; what only one wants, which is nearly all, stands in the state alone.
    private readonly Dictionary<EntryKey, Wants> _shared = [];
    private readonly SortedDictionary<EntryKey, Wants> _conflicts = [];
    private readonly SortedDictionary<PlanKey, PlannedPart> _refusals = [];

    /// <summary>What the kernels should hold now.</summary>
    public DesiredState State { get; } = new();

    public IReadOnlyCollection<PlanKey> Keys => _parts.Keys;

    /// <summary>How many entries each layer wants; one that several want counts for each.</summary>
    public IReadOnlyDictionary<string, long> CountByLayer()
    {
        var counts = new Dictionary<string, long>();
        foreach (var (key, part) in _parts)
        {
            counts[key.Layer] = counts.GetValueOrDefault(key.Layer) + part.Wants.Count;
        }
        return counts;
    }

    /// <summary>Every entry that is wanted to be two different things, in order of keys.</summary>
    public IEnumerable<PlanConflict> Conflicts()
    {
        foreach (var wants in _conflicts.Values)
        {
            foreach (var want in wants.All)
            {
                if (!want.Entry.Equals(wants.First.Entry))
                {
                    yield return new PlanConflict(wants.First.Entry, wants.First.Cause, want.Entry, want.Cause);
                }
            }
        }
    }

    public IEnumerable<Refusal> Refusals()
    {
        foreach (var part in _refusals.Values)
        {
            foreach (var refusal in part.Refusals)
            {
                yield return refusal;
            }
        }
    }

    /// <summary>Why an entry is wanted: each cause once, in order; none when Plumb does not want it.</summary>
    public IReadOnlyList<Origin> Why(EntryKey key) => State.Entries.TryGetValue(key, out var desired) ? CausesOf(desired) : [];

    /// <inheritdoc cref="Why"/>
    /// <param name="desired">Of <see cref="State"/>.</param>
    internal IReadOnlyList<Origin> CausesOf(Desired desired)
    {
        if (!_shared.TryGetValue(desired.Entry.Key, out var wants))
        {
            return [((Want)desired).Cause];
        }
        // They are in order of causes.
        var causes = new List<Origin>(wants.All.Count);
        foreach (var want in wants.All)
        {
            if (causes.Count == 0 || causes[^1] != want.Cause)
            {
                causes.Add(want.Cause);
            }
        }
        return causes;
    }

    /// <summary>What wants an entry that others want too, in no order.</summary>
    internal IEnumerable<Want> Shared => _shared.Values.SelectMany(static wants => wants.All);

    /// <summary>Replaces what one key wants. Who wants an entry now whose value may be another is put into <paramref name="touched"/>.</summary>
    internal void Replace(PlanKey key, PlannedPart now, Dictionary<EntryKey, Wants> touched)
    {
        _parts.Remove(key, out var was);
        foreach (var want in was?.Wants ?? [])
        {
            Touch(want.Entry.Key, touched).Remove(want);
        }
        foreach (var want in now.Wants)
        {
            Touch(want.Entry.Key, touched).Add(want);
        }
        if (now.Wants.Count != 0 || now.Refusals.Count != 0)
        {
            _parts[key] = now;
        }
        if (now.Refusals.Count != 0)
        {
            _refusals[key] = now;
        }
        else
        {
            _refusals.Remove(key);
        }
    }

    /// <summary>Brings <see cref="State"/> up to date for the touched keys and tells what became of each.</summary>
    internal List<DeltaItem> Settle(Dictionary<EntryKey, Wants> touched)
    {
        var items = new List<DeltaItem>(touched.Count);
        foreach (var (key, wants) in touched)
        {
            var was = State.Entries.GetValueOrDefault(key);
            if (wants.All.Count > 1)
            {
                _shared[key] = wants;
            }
            else
            {
                _shared.Remove(key);
            }
            if (wants.Disagree)
            {
                _conflicts[key] = wants;
            }
            else
            {
                _conflicts.Remove(key);
            }
            if (wants.All.Count == 0)
            {
                State.Remove(key);
                if (was is not null)
                {
                    items.Add(new DeltaItem(null, was.Entry));
                }
                continue;
            }
            State.Set(wants.First);
            if (!wants.First.Equals(was))
            {
                items.Add(new DeltaItem(wants.First, was?.Entry));
            }
        }
        return items;
    }

    private Wants Touch(EntryKey key, Dictionary<EntryKey, Wants> touched)
    {
        if (!touched.TryGetValue(key, out var wants))
        {
            if (!_shared.TryGetValue(key, out wants))
            {
                wants = new Wants((Want?)State.Entries.GetValueOrDefault(key));
            }
            touched.Add(key, wants);
        }
        return wants;
    }
}
