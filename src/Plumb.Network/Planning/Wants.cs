using Plumb.Linux.State;

namespace Plumb.Network.Planning;

/// <summary>One entry that one plan key wants, for one cause.</summary>
/// <param name="part">Of the plan key.</param>
/// <param name="ordinal">Its place among what the key wants.</param>
internal sealed class Want(Entry entry, Origin cause, PlannedPart part, int ordinal) : Desired(entry, StampOf(entry.Kind, cause))
{
    public Origin Cause => cause;

    public PlannedPart Part => part;

    public int Ordinal => ordinal;

    // What the kernel has room for; null for kinds of entry that carry nothing.
    private static Stamp? StampOf(EntryKind kind, Origin cause) => kind switch
    {
        EntryKind.Link => cause.ToStamp(Origin.AliasBytes),
        EntryKind.Table or EntryKind.Chain or EntryKind.Set or EntryKind.Element or EntryKind.Object => cause.ToStamp(Origin.CommentBytes),
        _ => null,
    };
}

/// <summary>All that one plan key wants.</summary>
internal sealed class PlannedPart(PlanKey key) : IPlanWriter
{
    public PlanKey Key => key;

    public List<Want> Wants { get; } = [];

    public List<Refusal> Refusals { get; } = [];

    public void Add(Entry entry, Origin cause) => Wants.Add(new Want(entry, cause, this, Wants.Count));

    public void Refuse(string line, Origin cause) => Refusals.Add(new Refusal(line, cause));
}

/// <summary>
/// All wants of one entry key, in an order that does not depend on the order in which they came. Tens of thousands of Services want the one
/// chain for their number of endpoints: what comes or goes is found by halves.
/// </summary>
internal sealed class Wants
{
    private readonly List<Want> _wants = new(1);

    // One of the values, and how many want another.
    private Entry? _value;
    private int _others;

    public Wants(Want? only)
    {
        if (only is not null)
        {
            _wants.Add(only);
            _value = only.Entry;
        }
    }

    public IReadOnlyList<Want> All => _wants;

    /// <summary>The one whose value counts.</summary>
    public Want First => _wants[0];

    public bool Disagree => _others != 0;

    public void Add(Want want)
    {
        _wants.Insert(~Find(want), want);
        _value ??= want.Entry;
        _others += IsOther(want) ? 1 : 0;
    }

    public void Remove(Want want)
    {
        _wants.RemoveAt(Find(want));
        _others -= IsOther(want) ? 1 : 0;
        if (_others == _wants.Count)
        {
            // Nobody wants that value any more.
            _value = _wants.Count == 0 ? null : _wants[0].Entry;
            _others = _wants.Count(IsOther);
        }
    }

    private bool IsOther(Want want) => !want.Entry.Equals(_value);

    /// <summary>Where it is, or the complement of where it belongs. No two of one key have the same ordinal.</summary>
    private int Find(Want want)
    {
        var (low, high) = (0, _wants.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = Compare(_wants[middle], want);
            if (order == 0)
            {
                return middle;
            }
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }
        return ~low;
    }

    private static int Compare(Want left, Want right)
    {
        var byCause = left.Cause.CompareTo(right.Cause);
        if (byCause != 0)
        {
            return byCause;
        }
        var byKey = left.Part.Key.CompareTo(right.Part.Key);
        return byKey != 0 ? byKey : left.Ordinal.CompareTo(right.Ordinal);
    }
}
