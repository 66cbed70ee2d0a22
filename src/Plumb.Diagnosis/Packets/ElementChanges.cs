using System.Collections.Immutable;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Packets;

/// <summary>
/// What rules have put into sets, and taken out, for the packets that are walked: later rules find it so, at later hooks too. The observed sets stay as they
/// are.
/// </summary>
public sealed class ElementChanges
{
    private readonly ImmutableDictionary<(TableId Table, string Set, Octets Key), SetElement?> _items;

    private ElementChanges(ImmutableDictionary<(TableId, string, Octets), SetElement?> items) => _items = items;

    public static ElementChanges None { get; } = new(ImmutableDictionary<(TableId, string, Octets), SetElement?>.Empty);

    public bool IsEmpty => _items.IsEmpty;

    /// <param name="element">Null: it was taken out.</param>
    internal ElementChanges With(TableId table, string set, Octets key, SetElement? element) => new(_items.SetItem((table, set, key), element));

    /// <returns>Whether anything was done to the element; it is null if it is no longer there.</returns>
    internal bool TryFind(TableId table, string set, Octets key, out SetElement? element) => _items.TryGetValue((table, set, key), out element);

    /// <summary>How many elements a set has more (or fewer) than was observed.</summary>
    /// <param name="wasThere">Whether one of this key was observed.</param>
    internal int More(TableId table, string set, Func<Octets, bool> wasThere)
    {
        var more = 0;
        foreach (var ((changedTable, changedSet, key), element) in _items)
        {
            if (changedTable == table && changedSet == set)
            {
                more += (element is null ? 0 : 1) - (wasThere(key) ? 1 : 0);
            }
        }
        return more;
    }
}
