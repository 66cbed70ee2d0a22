using System.Collections;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Network.Planning;

/// <summary>
/// Entries of a plan with what causes them, taken in one moment. Taking them costs little; whoever has them prints them while the plan goes on changing.
/// </summary>
public sealed class PlanExcerpt
{
    private readonly List<Taken> _entries = [];
    private readonly Dictionary<EntryKey, Entry> _sets = [];
    private readonly string[] _conflicts;
    private readonly string[] _refusals;
    private readonly bool _isSearch;

    private PlanExcerpt(DesiredIndex index, bool isSearch)
    {
        _isSearch = isSearch;
        _conflicts = [.. index.Conflicts().Select(static conflict => conflict.ToString())];
        _refusals = [.. index.Refusals().Select(static refusal => refusal.ToString())];
    }

    /// <summary>The whole plan.</summary>
    public static PlanExcerpt Of(DesiredIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        var excerpt = new PlanExcerpt(index, isSearch: false);
        foreach (var desired in index.State.Entries.Values)
        {
            excerpt.Take(desired, index.CausesOf(desired), more: 0);
        }
        return excerpt;
    }

    /// <summary>What may be about a thing, see <see cref="PlanSearch"/>.</summary>
    public static PlanExcerpt About(DesiredIndex index, PlanSearch search)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(search);
        var excerpt = new PlanExcerpt(index, isSearch: true);
        var parts = new HashSet<PlannedPart>();
        foreach (var desired in index.State.Entries.Values)
        {
            if (desired.Entry is not ElementEntry)
            {
                excerpt.Take(desired, index, search);
            }
            else if (IsAbout((Want)desired, search))
            {
                parts.Add(((Want)desired).Part);
            }
        }
        parts.UnionWith(index.Shared.Where(want => IsAbout(want, search)).Select(static want => want.Part));
        var elements = new HashSet<EntryKey>();
        foreach (var want in parts.SelectMany(static part => part.Wants))
        {
            if (want.Entry is ElementEntry && elements.Add(want.Entry.Key))
            {
                excerpt.Take(index.State.Entries[want.Entry.Key], index, search);
            }
        }
        return excerpt;
    }

    /// <summary>Its entries are printed whenever they are read: they are read once.</summary>
    public PlanDocument ToDocument(string node)
    {
        _entries.Sort(static (left, right) => left.Desired.Entry.Key.CompareTo(right.Desired.Entry.Key));
        return new PlanDocument { Node = node, Entries = new Printed(this), Conflicts = _conflicts, Refusals = _refusals };
    }

    private static bool IsAbout(Want want, PlanSearch search) => want.Entry is ElementEntry element && (search.IsCause(want.Cause.Subject) || search.IsIn(element));

    // Tens of thousands of Services want the one chain for their number of endpoints: of those that nobody asked for, some are named.
    private void Take(Desired desired, DesiredIndex index, PlanSearch search)
    {
        const int named = 3;
        var causes = index.CausesOf(desired);
        var kept = causes.Count <= named ? causes : [.. causes.Where((cause, at) => at < named || search.IsCause(cause.Subject))];
        Take(desired, kept, causes.Count - kept.Count);
    }

    private void Take(Desired desired, IReadOnlyList<Origin> causes, int more)
    {
        _entries.Add(new Taken(desired, causes, more));
        if (desired.Entry is SetEntry set)
        {
            _sets.Add(set.Key, set);
        }
    }

    private PlannedEntry Print(Taken taken) =>
        PlannedEntry.Of(taken.Desired, taken.Causes, RulesetText.Print(taken.Desired.Entry, key => _sets.GetValueOrDefault(key))) with
        {
            MoreOrigins = taken.More == 0 ? null : taken.More,
            ElementKey = _isSearch && taken.Desired.Entry is ElementEntry { Element: { IsCatchAll: false } element } ? element.Key.ToString() : null,
        };

    private readonly record struct Taken(Desired Desired, IReadOnlyList<Origin> Causes, int More);

    private sealed class Printed(PlanExcerpt of) : IReadOnlyList<PlannedEntry>
    {
        public int Count => of._entries.Count;

        public PlannedEntry this[int index] => of.Print(of._entries[index]);

        public IEnumerator<PlannedEntry> GetEnumerator() => of._entries.Select(of.Print).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
