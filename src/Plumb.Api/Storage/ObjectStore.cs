using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Api.Storage;

/// <summary>
/// Every object of the cluster, in memory. One resourceVersion counts all writes; each collection keeps a bounded history for watches.
/// It stores what it is given: defaults, validation and the life of objects are the business of <see cref="Resources.Registry"/>, which controllers
/// and HTTP write through. Reading and subscribing go straight to the store.
/// </summary>
/// <remarks>Thread-safe. Writes to one object are ordered by `expected`, the resourceVersion that the writer has read.</remarks>
public sealed class ObjectStore : IDisposable
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly Dictionary<GroupResource, Collection> _collections = [];
    private readonly Dictionary<string, HashSet<StoreKey>> _dependents = [];
    private readonly ArrayBufferWriter<byte> _buffer = new(16 << 10);
    private readonly Utf8JsonWriter _writer;
    private long _version;

    public ObjectStore() => _writer = new Utf8JsonWriter(_buffer, WriterOptions);

    internal Lock Gate { get; } = new();

    internal long ResourceVersionLocked => _version;

    /// <summary>The version of the latest write to anything.</summary>
    public long ResourceVersion
    {
        get
        {
            lock (Gate)
                return _version;
        }
    }

    public StoredObject? Find(StoreKey key)
    {
        lock (Gate)
            return CollectionOf(key.Resource).Find(key);
    }

    /// <exception cref="ApiException">404.</exception>
    public StoredObject Get(StoreKey key) => Find(key) ?? throw ApiException.NotFound(key);

    /// <summary>A consistent list in key order.</summary>
    /// <param name="namespace">Null: of all namespaces.</param>
    public IReadOnlyList<StoredObject> List(GroupResource resource, string? @namespace = null, Func<StoredObject, bool>? filter = null) =>
        List(resource, @namespace, filter, out _);

    /// <param name="resourceVersion">The version at which the list is true.</param>
    /// <inheritdoc cref="List(GroupResource, string, Func{StoredObject, bool})"/>
    public IReadOnlyList<StoredObject> List(
        GroupResource resource, string? @namespace, Func<StoredObject, bool>? filter, out long resourceVersion) =>
        Matching(ListingOf(resource, out resourceVersion), @namespace, filter);

    /// <summary>All of a resource, in order.</summary>
    /// <inheritdoc cref="List(GroupResource, string, Func{StoredObject, bool}, out long)"/>
    internal Listing ListingOf(GroupResource resource, out long resourceVersion)
    {
        lock (Gate)
        {
            resourceVersion = _version;
            return CollectionOf(resource).Listing;
        }
    }

    /// <summary>All of a resource, as it was at a version of the past.</summary>
    /// <returns>Null: the history does not reach back so far.</returns>
    internal Listing? ListingAt(GroupResource resource, long resourceVersion)
    {
        Listing now;
        List<Change> since;
        lock (Gate)
        {
            var collection = CollectionOf(resource);
            if (resourceVersion < collection.History.Oldest)
                return null;
            now = collection.Listing;
            since = [.. collection.History.Since(resourceVersion)];
        }

        return since.Count == 0 ? now : now.Before(since);
    }

    /// <summary>The objects that name <paramref name="uid"/> in their ownerReferences.</summary>
    public IReadOnlyList<StoredObject> Dependents(string uid)
    {
        lock (Gate)
        {
            if (!_dependents.TryGetValue(uid, out var keys))
                return [];
            var found = new List<StoredObject>(keys.Count);
            foreach (var key in keys)
            {
                if (CollectionOf(key.Resource).Find(key) is { } stored)
                    found.Add(stored);
            }

            return found;
        }
    }

    /// <summary>Every object in a namespace, of whatever resource: what must go before the namespace can.</summary>
    public IReadOnlyList<StoredObject> InNamespace(string @namespace)
    {
        lock (Gate)
        {
            var found = new List<StoredObject>();
            foreach (var collection in _collections.Values)
                found.AddRange(collection.Listing.From(@namespace));
            return found;
        }
    }

    /// <summary>The present objects and, without a gap, every change from now on.</summary>
    /// <param name="filter">Is called under the store's lock: cheap, and without side effects.</param>
    public Subscription Subscribe(GroupResource resource, string? @namespace = null, Func<StoredObject, bool>? filter = null) =>
        Subscribe(resource, @namespace, filter, capacity: 0);

    /// <param name="capacity">How many changes may wait before the subscription is given up with 410; 0: any number.</param>
    internal Subscription Subscribe(GroupResource resource, string? @namespace, Func<StoredObject, bool>? filter, int capacity)
    {
        Listing initial;
        Subscription subscription;
        lock (Gate)
        {
            var collection = CollectionOf(resource);
            subscription = new Subscription(collection, @namespace, filter, capacity) { ResourceVersion = _version };
            initial = collection.Listing;
            collection.Add(subscription);
        }

        subscription.Initial = Matching(initial, @namespace, filter);
        return subscription;
    }

    /// <summary>Every change after <paramref name="since"/>.</summary>
    /// <exception cref="ApiException">410: the history does not reach back so far.</exception>
    internal Subscription SubscribeSince(
        GroupResource resource, string? @namespace, Func<StoredObject, bool>? filter, long since, int capacity)
    {
        lock (Gate)
        {
            var collection = CollectionOf(resource);
            if (since < collection.History.Oldest)
                throw ApiException.Expired(since, collection.History.Oldest);
            var subscription = new Subscription(collection, @namespace, filter, capacity) { ResourceVersion = since };
            foreach (var change in collection.History.Since(since))
                subscription.Offer(change);
            collection.Add(subscription);
            return subscription;
        }
    }

    /// <summary>Stores a new object. `metadata.resourceVersion` is set in <paramref name="root"/>.</summary>
    /// <exception cref="ApiException">409, already exists.</exception>
    public StoredObject Insert(StoreKey key, JsonObject root)
    {
        lock (Gate)
        {
            var collection = CollectionOf(key.Resource);
            if (collection.Find(key) is { } there)
                throw ApiException.AlreadyExists(key, there.IsDeleting);
            var stored = Freeze(key, root, null);
            Commit(collection, new Change(ChangeKind.Added, null, stored));
            return stored;
        }
    }

    /// <summary>Stores the next version of an object. Nothing is written when it equals the present one.</summary>
    /// <exception cref="ApiException">404, or 409 when <paramref name="expected"/> is no longer the present version.</exception>
    public StoredObject Replace(StoredObject expected, JsonObject root)
    {
        lock (Gate)
        {
            var collection = CollectionOf(expected.Key.Resource);
            var present = Present(collection, expected);
            var stored = Freeze(expected.Key, root, present);
            if (Unchanged(present, stored, root))
                return present;
            Commit(collection, new Change(ChangeKind.Modified, present, stored));
            return stored;
        }
    }

    /// <summary>Takes an object out.</summary>
    /// <param name="root">Its last state; null: as it is.</param>
    /// <returns>The last state, carrying the resourceVersion of the deletion.</returns>
    /// <exception cref="ApiException">404, or 409 when <paramref name="expected"/> is no longer the present version.</exception>
    public StoredObject Remove(StoredObject expected, JsonObject? root = null)
    {
        lock (Gate)
        {
            var collection = CollectionOf(expected.Key.Resource);
            var present = Present(collection, expected);
            var last = Freeze(expected.Key, root ?? present.ToNode(), present);
            Commit(collection, new Change(ChangeKind.Deleted, present, last));
            return last;
        }
    }

    /// <summary>Forgets the history of every collection, as a real server's compaction does: a watch from the past gets 410.</summary>
    public void Compact()
    {
        lock (Gate)
        {
            foreach (var collection in _collections.Values)
                collection.History.Clear(_version);
        }
    }

    /// <summary>All of it, at one moment.</summary>
    public StoreCopy Copy()
    {
        lock (Gate)
        {
            return new StoreCopy(_version, _collections.Where(static one => one.Value.Count > 0)
                .ToDictionary(static one => one.Key, static one => (IReadOnlyList<StoredObject>)[.. one.Value.Listing.From(null)]));
        }
    }

    /// <summary>
    /// Puts a copy in the place of all that is there, the version included: it may go back. Every subscription ends, and no watch can begin before that version.
    /// Whoever has read before must not write afterwards what follows from it: numbers of versions come again.
    /// </summary>
    internal void Load(StoreCopy copy)
    {
        lock (Gate)
        {
            _version = copy.ResourceVersion;
            _dependents.Clear();
            foreach (var resource in copy.Collections.Keys)
                CollectionOf(resource);
            foreach (var (resource, collection) in _collections)
            {
                var objects = copy.Of(resource);
                collection.Load(objects, _version);
                foreach (var stored in objects)
                    Index(null, stored);
            }
        }
    }

    public void Dispose() => _writer.Dispose();

    private static StoredObject Present(Collection collection, StoredObject expected)
    {
        var present = collection.Find(expected.Key) ?? throw ApiException.NotFound(expected.Key);
        return present.ResourceVersion == expected.ResourceVersion ? present : throw ApiException.Modified(expected.Key);
    }

    private static List<StoredObject> Matching(Listing listing, string? @namespace, Func<StoredObject, bool>? filter) =>
        [.. filter is null ? listing.From(@namespace) : listing.From(@namespace).Where(filter)];

    private Collection CollectionOf(GroupResource resource)
    {
        if (!_collections.TryGetValue(resource, out var collection))
            _collections[resource] = collection = new Collection(this);
        return collection;
    }

    private static bool Unchanged(StoredObject present, StoredObject next, JsonObject root)
    {
        if (next.IsVersionOf(present))
            return true;
        if (!next.IsAsLongAs(present))
            return false;
        // As many bytes: it may be the same in another order.
        var before = present.ToNode();
        before["metadata"]!["resourceVersion"] = root["metadata"]!["resourceVersion"]!.DeepClone();
        return JsonNode.DeepEquals(root, before);
    }

    /// <summary>The object under the next version, which is used up only by <see cref="Commit"/>.</summary>
    private StoredObject Freeze(StoreKey key, JsonObject root, StoredObject? previous)
    {
        var metadata = root["metadata"]!.AsObject();
        metadata["resourceVersion"] = (_version + 1).ToString(CultureInfo.InvariantCulture);
        try
        {
            return new StoredObject(key, Write(root).ToArray(), previous);
        }
        catch (Exception deep) when (deep is JsonException or InvalidOperationException)
        {
            throw ApiException.BadRequest("the object is nested too deeply: exceeded max depth");
        }
    }

    private void Commit(Collection collection, in Change change)
    {
        _version++;
        Index(change.Old, change.Kind == ChangeKind.Deleted ? null : change.Object);
        collection.Commit(change);
    }

    private ReadOnlySpan<byte> Write(JsonObject root)
    {
        _buffer.ResetWrittenCount();
        _writer.Reset(_buffer);
        root.WriteTo(_writer);
        _writer.Flush();
        return _buffer.WrittenSpan;
    }

    private void Index(StoredObject? old, StoredObject? current)
    {
        if (old is not null)
        {
            foreach (var owner in old.Owners)
            {
                if (_dependents.TryGetValue(owner.Uid, out var keys) && keys.Remove(old.Key) && keys.Count == 0)
                    _dependents.Remove(owner.Uid);
            }
        }

        if (current is null)
            return;
        foreach (var owner in current.Owners)
        {
            if (!_dependents.TryGetValue(owner.Uid, out var keys))
                _dependents[owner.Uid] = keys = [];
            keys.Add(current.Key);
        }
    }
}
