using Plumb.Linux.State;

namespace Plumb.Network.Planning;

/// <summary>
/// All planned entries by what wants them. An entry lives while any plan key wants it. Answers both ways: why is this entry
/// here, and what does this subject put into the kernel.
/// </summary>
public sealed class DesiredIndex
{
    private readonly Dictionary<PlanKey, PlannedPart> _parts = [];
    private readonly Dictionary<EntryKey, Slot> _slots = [];
    private readonly SortedDictionary<EntryKey, Slot> _conflicts = [];
    private readonly SortedDictionary<PlanKey, PlannedPart> _refusals = [];

    /// <summary>What the kernels should hold now.</summary>
    public DesiredState State { get; } = new();

    public IReadOnlyCollection<PlanKey> Keys => _parts.Keys;

    /// <summary>Every entry that is wanted to be two different things, in order of keys.</summary>
    public IEnumerable<PlanConflict> Conflicts()
    {
        foreach (var slot in _conflicts.Values)
        {
            foreach (var want in slot.Wants)
            {
                if (!want.Entry.Equals(slot.Wants[0].Entry))
                {
                    yield return new PlanConflict(slot.Wants[0].Entry, slot.Wants[0].Cause, want.Entry, want.Cause);
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
    public IReadOnlyList<Origin> Why(EntryKey key)
    {
        if (!_slots.TryGetValue(key, out var slot))
        {
            return [];
        }
        var causes = new SortedSet<Origin>();
        foreach (var want in slot.Wants)
        {
            causes.Add(want.Cause);
        }
        return [.. causes];
    }

    /// <summary>All that one subject causes, by any layer, in no order.</summary>
    public IEnumerable<Entry> CausedBy(Subject subject)
    {
        foreach (var slot in _slots.Values)
        {
            foreach (var want in slot.Wants)
            {
                if (want.Cause.Subject == subject)
                {
                    yield return slot.Wants[0].Entry;
                    break;
                }
            }
        }
    }

    /// <summary>Replaces what one key wants. Each entry key whose value may be another now is put into <paramref name="touched"/> with the value that it had.</summary>
    internal void Replace(PlanKey key, PlannedPart now, Dictionary<EntryKey, Desired?> touched)
    {
        _parts.Remove(key, out var was);
        foreach (var want in was?.Wants ?? [])
        {
            Touch(want.Entry.Key, touched).Remove(key, want);
        }
        foreach (var want in now.Wants)
        {
            Touch(want.Entry.Key, touched).Add(key, want);
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
    internal List<DeltaItem> Settle(Dictionary<EntryKey, Desired?> touched)
    {
        var items = new List<DeltaItem>(touched.Count);
        foreach (var (key, was) in touched)
        {
            var slot = _slots[key];
            if (slot.Wants.Count == 0)
            {
                _slots.Remove(key);
                _conflicts.Remove(key);
                State.Remove(key);
                if (was is not null)
                {
                    items.Add(new DeltaItem(null, was.Entry));
                }
                continue;
            }
            if (slot.Disagrees)
            {
                _conflicts[key] = slot;
            }
            else
            {
                _conflicts.Remove(key);
            }
            var want = slot.Wants[0];
            if (was is null || !was.Entry.Equals(want.Entry) || was.Stamp != want.Stamp)
            {
                var desired = new Desired(want.Entry, want.Stamp);
                State.Set(desired);
                items.Add(new DeltaItem(desired, was?.Entry));
            }
        }
        return items;
    }

    private Slot Touch(EntryKey key, Dictionary<EntryKey, Desired?> touched)
    {
        if (!_slots.TryGetValue(key, out var slot))
        {
            _slots[key] = slot = new Slot();
        }
        touched.TryAdd(key, State.Entries.GetValueOrDefault(key));
        return slot;
    }

    /// <summary>
    /// All wants of one entry key, in an order that does not depend on the order in which they came. Tens of thousands of Services want the one
    /// chain for their number of endpoints: what comes or goes is found by halves.
    /// </summary>
    private sealed class Slot
    {
        private readonly List<(PlanKey Key, Want Want)> _wants = new(1);

        // One of the values, and how many want another.
        private Entry? _value;
        private int _others;

        public WantList Wants => new(_wants);

        public bool Disagrees => _others != 0;

        public void Add(PlanKey key, Want want)
        {
            _wants.Insert(~Find(key, want), (key, want));
            _value ??= want.Entry;
            _others += IsOther(want) ? 1 : 0;
        }

        public void Remove(PlanKey key, Want want)
        {
            _wants.RemoveAt(Find(key, want));
            _others -= IsOther(want) ? 1 : 0;
            if (_others == _wants.Count)
            {
                // Nobody wants that value any more.
                _value = _wants.Count == 0 ? null : _wants[0].Want.Entry;
                _others = _wants.Count(one => IsOther(one.Want));
            }
        }

        private bool IsOther(Want want) => !want.Entry.Equals(_value);

        /// <summary>Where it is, or the complement of where it belongs. No two of one key have the same ordinal.</summary>
        private int Find(PlanKey key, Want want)
        {
            var (low, high) = (0, _wants.Count - 1);
            while (low <= high)
            {
                var middle = (low + high) >>> 1;
                var order = Compare(_wants[middle], (key, want));
                if (order == 0)
                {
                    return middle;
                }
                (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
            }
            return ~low;
        }

        private static int Compare((PlanKey Key, Want Want) left, (PlanKey Key, Want Want) right)
        {
            var byCause = left.Want.Cause.CompareTo(right.Want.Cause);
            if (byCause != 0)
            {
                return byCause;
            }
            var byKey = left.Key.CompareTo(right.Key);
            return byKey != 0 ? byKey : left.Want.Ordinal.CompareTo(right.Want.Ordinal);
        }
    }

    private readonly struct WantList(List<(PlanKey Key, Want Want)> wants)
    {
        public int Count => wants.Count;

        public Want this[int index] => wants[index].Want;

        public IEnumerator<Want> GetEnumerator()
        {
            foreach (var (_, want) in wants)
            {
                yield return want;
            }
        }
    }
}

/// <summary>One entry that one plan key wants, for one cause.</summary>
/// <param name="Ordinal">Its place among what the key wants.</param>
internal sealed record Want(Entry Entry, Origin Cause, int Ordinal)
{
    /// <summary>What the kernel has room for; null for kinds of entry that carry nothing.</summary>
    public Stamp? Stamp => Entry.Kind switch
    {
        EntryKind.Link => Cause.ToStamp(Origin.AliasBytes),
        EntryKind.Table or EntryKind.Chain or EntryKind.Set or EntryKind.Element or EntryKind.Object => Cause.ToStamp(Origin.CommentBytes),
        _ => null,
    };
}

/// <summary>All that one plan key wants.</summary>
internal sealed class PlannedPart : IPlanWriter
{
    public List<Want> Wants { get; } = [];

    public List<Refusal> Refusals { get; } = [];

    public void Add(Entry entry, Origin cause) => Wants.Add(new Want(entry, cause, Wants.Count));

    public void Refuse(string line, Origin cause) => Refusals.Add(new Refusal(line, cause));
}
