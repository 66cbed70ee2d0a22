using System.Threading.Channels;

namespace Plumb.Api.Storage;

public enum ChangeKind
{
    Added,
    Modified,
    Deleted,
}

/// <summary>What happened to one object. Within a collection changes come in the order of their resource versions.</summary>
/// <param name="Old">The version before; null when the object is new.</param>
/// <param name="Object">The version after; for a deletion the last state, carrying the resourceVersion of the deletion.</param>
public readonly record struct Change(ChangeKind Kind, StoredObject? Old, StoredObject Object)
{
    public StoreKey Key => Object.Key;

    /// <summary>The state that now stands: null after a deletion.</summary>
    public StoredObject? New => Kind == ChangeKind.Deleted ? null : Object;
}

/// <summary>A collection as it was at one moment, and every change since. Dispose it to let go.</summary>
public sealed class Subscription : IDisposable
{
    private readonly Collection _collection;
    private readonly Channel<Change> _channel;
    private readonly string? _namespace;
    private readonly Func<StoredObject, bool>? _filter;

    internal Subscription(Collection collection, string? @namespace, Func<StoredObject, bool>? filter, int capacity)
    {
        _collection = collection;
        _namespace = @namespace;
        _filter = filter;
        _channel = capacity > 0
            ? Channel.CreateBounded<Change>(new BoundedChannelOptions(capacity) { SingleReader = true })
            : Channel.CreateUnbounded<Change>(new UnboundedChannelOptions { SingleReader = true });
    }

    /// <summary>The objects that matched when the subscription began, in key order. Empty for one that began in the past.</summary>
    public IReadOnlyList<StoredObject> Initial { get; internal set; } = [];

    /// <summary>
    /// The version at which the subscription began: every later change comes through <see cref="Changes"/>. One that the store has not reached yet, as after it went
    /// back, is waited for without a word: so does a real server.
    /// </summary>
    public long ResourceVersion { get; internal set; }

    /// <summary>Completes when disposed, and when the store's content is replaced; with an <see cref="ApiException"/> of code 410 when the reader fell too far behind.</summary>
    public ChannelReader<Change> Changes => _channel.Reader;

    /// <summary>A version up to which everything has been read from <see cref="Changes"/>: what a bookmark may say.</summary>
    public bool TryGetProgress(out long resourceVersion) => _collection.TryGetProgress(this, out resourceVersion);

    internal bool IsDrained => _channel.Reader.Count == 0;

    public void Dispose()
    {
        _collection.Remove(this);
        _channel.Writer.TryComplete();
    }

    /// <summary>Completes <see cref="Changes"/> behind those that wait there.</summary>
    internal void End() => _channel.Writer.TryComplete();

    internal bool Matches(StoredObject stored) => (_namespace is null || stored.Namespace == _namespace) && (_filter is null || _filter(stored));

    /// <summary>Seen through a filter, an object that begins to match is added; one that ceases to match is deleted, as it was when it still matched.</summary>
    internal bool Offer(in Change change)
    {
        if (change.Object.ResourceVersion <= ResourceVersion)
            return true;
        if (_namespace is not null && change.Object.Namespace != _namespace)
            return true;
        var seen = change;
        if (_filter is not null)
        {
            var before = change.Old is not null && _filter(change.Old);
            var after = change.Kind != ChangeKind.Deleted && _filter(change.Object);
            if (!before && !after)
                return true;
            seen = after
                ? change with { Kind = before ? ChangeKind.Modified : ChangeKind.Added }
                : change with { Kind = ChangeKind.Deleted, Object = change.Kind == ChangeKind.Deleted ? change.Object : change.Old!.AtVersion(change.Object.ResourceVersion) };
        }

        if (_channel.Writer.TryWrite(seen))
            return true;
        _channel.Writer.TryComplete(ApiException.Expired(ResourceVersion, change.Object.ResourceVersion));
        return false;
    }
}
