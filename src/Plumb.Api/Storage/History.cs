namespace Plumb.Api.Storage;

/// <summary>The last changes of one collection, so that a watch can begin in the near past. Bounded in number and in bytes.</summary>
internal sealed class History
{
    /// <summary>A thousand pods that come and go make about five thousand changes.</summary>
    private const int MostChanges = 4_096;

    private const int MostBytes = 8 << 20;

    private readonly Queue<Change> _changes = new();
    private long _bytes;

    /// <summary>A watch may begin at this version or later; what came before it is forgotten.</summary>
    public long Oldest { get; private set; }

    public void Add(in Change change)
    {
        _changes.Enqueue(change);
        _bytes += change.Object.Json.Length;
        while (_changes.Count > MostChanges || _bytes > MostBytes)
            Forget();
    }

    public IEnumerable<Change> Since(long resourceVersion) => _changes.Where(change => change.Object.ResourceVersion > resourceVersion);

    /// <summary>Forgets everything: the next watch from the past is told that it is too old.</summary>
    public void Clear(long now)
    {
        _changes.Clear();
        _bytes = 0;
        Oldest = now;
    }

    private void Forget()
    {
        var change = _changes.Dequeue();
        _bytes -= change.Object.Json.Length;
        Oldest = change.Object.ResourceVersion;
    }
}
