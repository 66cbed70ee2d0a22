using System.Collections.Immutable;

namespace Plumb.Api.Storage;

/// <summary>
/// The objects of one resource in the order of lists, at one moment: immutable, so that lists are read while others write. A write costs O(log n), a page what is on it.
/// </summary>
internal sealed class Listing
{
    public static readonly Listing Empty = new([]);

    private readonly ImmutableSortedSet<Place> _places;

    private Listing(ImmutableSortedSet<Place> places) => _places = places;

    public static Listing Of(IEnumerable<StoredObject> objects) => new([.. objects.Select(static one => new Place(one.Key, one))]);

    /// <summary>Puts an object in the place of the one with its key.</summary>
    public Listing With(StoredObject stored) => new(_places.Remove(new Place(stored.Key)).Add(new Place(stored.Key, stored)));

    public Listing Without(StoreKey key) => new(_places.Remove(new Place(key)));

    /// <summary>The same before these changes.</summary>
    /// <param name="changes">The last that were made, in their order.</param>
    public Listing Before(IReadOnlyList<Change> changes)
    {
        var then = _places.ToBuilder();
        for (var i = changes.Count - 1; i >= 0; i--)
        {
            then.Remove(new Place(changes[i].Key));
            if (changes[i].Old is { } old)
                then.Add(new Place(old.Key, old));
        }

        return new Listing(then.ToImmutable());
    }

    /// <param name="namespace">Null: of all namespaces.</param>
    /// <param name="after">The last one that is not wanted; null: from the first.</param>
    public IEnumerable<StoredObject> From(string? @namespace, StoreKey? after = null)
    {
        var (start, end) = Range(@namespace, after);
        for (var i = start; i < end; i++)
            yield return _places[i].Object!;
    }

    /// <summary>How many <see cref="From"/> gives.</summary>
    public int CountFrom(string? @namespace, StoreKey? after = null)
    {
        var (start, end) = Range(@namespace, after);
        return Math.Max(end - start, 0);
    }

    private (int Start, int End) Range(string? @namespace, StoreKey? after)
    {
        var start = after is { } last ? Position(new Place(last), after: true) : 0;
        if (@namespace is null)
            return (start, _places.Count);
        // No name is empty, and none of a namespace comes after that of the namespace with a zero byte.
        return (Math.Max(start, Position(new Place(@namespace, "", null), after: false)), Position(new Place(@namespace + '\0', "", null), after: false));
    }

    private int Position(in Place place, bool after)
    {
        var index = _places.IndexOf(place);
        return index < 0 ? ~index : after ? index + 1 : index;
    }

    private readonly record struct Place(string Namespace, string Name, StoredObject? Object) : IComparable<Place>
    {
        public Place(StoreKey key, StoredObject? stored = null)
            : this(key.Namespace, key.Name, stored)
        {
        }

        public int CompareTo(Place other)
        {
            var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
            return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
        }
    }
}
