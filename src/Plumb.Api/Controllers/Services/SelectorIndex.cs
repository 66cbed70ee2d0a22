using Plumb.Api.Storage;

namespace Plumb.Api.Controllers.Services;

/// <summary>Finds the Services that select a pod by the pod's labels, without a look at the others: each is filed under the pair of its selector that fewest have.</summary>
internal sealed class SelectorIndex<T> where T : class
{
    private readonly Dictionary<Pair, List<T>> byPair = [];
    private readonly Dictionary<T, (Pair Pair, IReadOnlyDictionary<string, string> Selector)> filed = [];

    private readonly record struct Pair(string Namespace, string Key, string Value);

    /// <param name="selector">Not empty.</param>
    public void Add(string @namespace, IReadOnlyDictionary<string, string> selector, T item)
    {
        Remove(item);
        Pair best = default;
        int fewest = int.MaxValue;
        foreach (var (key, value) in selector)
        {
            var pair = new Pair(@namespace, key, value);
            int count = byPair.TryGetValue(pair, out var there) ? there.Count : 0;
            if (count < fewest)
                (best, fewest) = (pair, count);
        }
        if (!byPair.TryGetValue(best, out var items))
            byPair[best] = items = [];
        items.Add(item);
        filed[item] = (best, selector);
    }

    public void Remove(T item)
    {
        if (filed.Remove(item, out var place) && byPair.TryGetValue(place.Pair, out var items) && items.Remove(item) && items.Count == 0)
            byPair.Remove(place.Pair);
    }

    /// <param name="found">Gets them added.</param>
    public void Find(string @namespace, LabelDictionary labels, HashSet<T> found)
    {
        foreach (var (key, value) in labels)
        {
            if (!byPair.TryGetValue(new Pair(@namespace, key, value), out var items))
                continue;
            foreach (var item in items)
            {
                if (Matches(filed[item].Selector, labels))
                    found.Add(item);
            }
        }
    }

    public static bool Matches(IReadOnlyDictionary<string, string> selector, LabelDictionary labels)
    {
        foreach (var (key, value) in selector)
        {
            if (!labels.TryGetValue(key, out string? has) || has != value)
                return false;
        }
        return true;
    }
}
