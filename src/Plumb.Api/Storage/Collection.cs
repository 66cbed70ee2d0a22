namespace Plumb.Api.Storage;

/// <summary>The objects of one resource with their history and subscribers. All members are called under the store's lock, but those marked.</summary>
internal sealed class Collection(ObjectStore store)
{
    private readonly Dictionary<StoreKey, StoredObject> _objects = [];
    private readonly List<Subscription> _subscriptions = [];

    public History History { get; } = new();

    public Listing Listing { get; private set; } = Listing.Empty;

    public int Count => _objects.Count;

    public StoredObject? Find(StoreKey key) => _objects.GetValueOrDefault(key);

    public void Commit(in Change change)
    {
        if (change.Kind == ChangeKind.Deleted)
        {
            _objects.Remove(change.Key);
            Listing = Listing.Without(change.Key);
        }
        else
        {
            _objects[change.Key] = change.Object;
            Listing = Listing.With(change.Object);
        }

        History.Add(change);
        for (var i = _subscriptions.Count - 1; i >= 0; i--)
        {
            if (!_subscriptions[i].Offer(change))
                _subscriptions.RemoveAt(i);
        }
    }

    /// <summary>Has these objects and no others from now on, without a past and without subscribers.</summary>
    public void Load(IReadOnlyList<StoredObject> objects, long now)
    {
        _objects.Clear();
        foreach (var stored in objects)
            _objects.Add(stored.Key, stored);
        Listing = Listing.Of(objects);
        History.Clear(now);
        foreach (var subscription in _subscriptions)
            subscription.End();
        _subscriptions.Clear();
    }

    public void Add(Subscription subscription) => _subscriptions.Add(subscription);

    /// <summary>Takes the store's lock.</summary>
    public void Remove(Subscription subscription)
    {
        lock (store.Gate)
            _subscriptions.Remove(subscription);
    }

    /// <summary>Takes the store's lock: nothing can be on its way while it is held.</summary>
    public bool TryGetProgress(Subscription subscription, out long resourceVersion)
    {
        lock (store.Gate)
        {
            resourceVersion = store.ResourceVersionLocked;
            return subscription.IsDrained && resourceVersion >= subscription.ResourceVersion;
        }
    }
}
