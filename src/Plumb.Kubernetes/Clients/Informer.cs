using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Clients;

public enum ObjectChangeKind { Added, Modified, Deleted }

/// <summary>One difference between what the informer knew and what it knows now.</summary>
/// <param name="Old">Null when added.</param>
/// <param name="New">Null when deleted.</param>
public readonly record struct ObjectChange<T>(ObjectChangeKind Kind, ObjectKey Key, T? Old, T? New) where T : class
{
    /// <summary>The newer of the two that there is.</summary>
    public T Latest => New ?? Old!;
}

/// <summary>
/// A copy of a collection that is kept true: listed once, watched from then on. A broken connection is mended by watching again where it broke; when the server
/// has forgotten that place (410) the collection is listed anew and compared, so that a deletion that nobody told of is still found. The same is done when the
/// server's own place is an earlier one, as after its store was replaced by an older copy: there a watch would say nothing until it has caught up.
/// </summary>
/// <remarks>One loop and one connection each; nothing runs while nothing changes. <see cref="RunAsync"/> is called once.</remarks>
public sealed class Informer<T> where T : class, IResource<T>
{
    private static readonly TimeSpan WatchTime = TimeSpan.FromMinutes(8);

    private readonly KubernetesClient client;
    private readonly ListOptions options;
    private readonly Backoff backoff;
    private bool inTrouble;
    private readonly ConcurrentDictionary<ObjectKey, T> objects = new();
    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<ObjectChange<T>> changes = Channel.CreateUnbounded<ObjectChange<T>>(new() { SingleReader = true, SingleWriter = true });

    public Informer(KubernetesClient client, ListOptions options, Random random)
    {
        this.client = client;
        this.options = options;
        backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30), client.Time, random);
    }

    /// <summary>What there is now, as far as the server has told.</summary>
    public IReadOnlyDictionary<ObjectKey, T> Objects => objects;

    /// <summary>Ends when the first list has come in and all of it stands in <see cref="Objects"/> and <see cref="Changes"/>.</summary>
    public Task Synced => synced.Task;

    /// <summary>Every change, the first list included, in order; <see cref="Objects"/> is already up to date when one comes out. Has one reader.</summary>
    public ChannelReader<ObjectChange<T>> Changes => changes.Reader;

    /// <summary>
    /// What is kept of an object in <see cref="Objects"/>, for readers of <see cref="Changes"/> who keep what they need in a form of their own: at least its
    /// metadata. A change carries the whole new object, and of the old one what was kept. Null: all of it.
    /// </summary>
    public Func<T, T>? Keep { get; init; }

    /// <summary>Called with what went wrong and will be tried again.</summary>
    public Action<Exception>? OnTrouble { get; init; }

    /// <summary>Called when the server has taken a watch on again after trouble.</summary>
    public Action? OnRecovery { get; init; }

    public T? Find(string? @namespace, string name) => objects.GetValueOrDefault(new ObjectKey(T.Type.Kind.Kind, @namespace ?? "", name));

    /// <summary>Keeps the copy true until cancelled; then <see cref="Changes"/> completes.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        string? version = null;
        var mayHaveGoneBack = false;
        var hasGoneBack = false;
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                try
                {
                    if (mayHaveGoneBack && version is not null && await IsBehindAsync(version, cancel).ConfigureAwait(false))
                    {
                        (version, hasGoneBack) = (null, true);
                        // It is another server than the one that was away.
                        backoff.Reset();
                    }
                    mayHaveGoneBack = true;
                    if (version is null)
                    {
                        version = await ListAsync(hasGoneBack, cancel).ConfigureAwait(false);
                        hasGoneBack = false;
                    }
                    var since = client.Time.GetTimestamp();
                    await foreach (var change in client.WatchAsync<T>(options, version, WatchTime, Recover, cancel).ConfigureAwait(false))
                    {
                        version = change.Object.Metadata.ResourceVersion ?? version;
                        Take(change);
                        backoff.Reset();
                    }
                    // A server that ends a watch when its time is up goes on from where we are; one that does so before ends itself.
                    mayHaveGoneBack = client.Time.GetElapsedTime(since) < WatchTime;
                    // A server that ends each watch at once must not be asked in a tight loop; after a long one the first wait is short.
                    await backoff.WaitAsync(cancel).ConfigureAwait(false);
                }
                catch (ApiException refused) when (refused.IsTooLarge)
                {
                    (version, hasGoneBack) = (null, true);
                    Fail(refused);
                    await backoff.WaitAsync(cancel).ConfigureAwait(false);
                }
                catch (ApiException refused) when (refused.IsGone)
                {
                    version = null;
                    Fail(refused);
                    await backoff.WaitAsync(cancel).ConfigureAwait(false);
                }
                catch (Exception trouble) when (IsPassing(trouble) && !cancel.IsCancellationRequested)
                {
                    mayHaveGoneBack = true;
                    Fail(trouble);
                    await backoff.WaitAsync(cancel, (trouble as ApiException)?.RetryAfter).ConfigureAwait(false);
                }
            }
        }
        catch (Exception end) when (cancel.IsCancellationRequested && IsPassing(end))
        {
            // The way in which it is meant to end; a connection may notice it first.
        }
        finally
        {
            synced.TrySetCanceled(CancellationToken.None);
            changes.Writer.TryComplete();
        }
    }

    private void Fail(Exception trouble)
    {
        inTrouble = true;
        OnTrouble?.Invoke(trouble);
    }

    private void Recover()
    {
        if (inTrouble)
        {
            inTrouble = false;
            OnRecovery?.Invoke();
        }
    }

    /// <summary>A connection attempt that was given up arrives as a cancellation, too.</summary>
    private static bool IsPassing(Exception trouble) =>
        trouble is ApiException or HttpRequestException or IOException or OperationCanceledException or UnauthorizedAccessException;

    /// <param name="hasGoneBack">Versions that we know may mean something else by now: each object counts as changed.</param>
    private async Task<string> ListAsync(bool hasGoneBack, CancellationToken cancel)
    {
        var list = await client.ListAsync<T>(options, cancel).ConfigureAwait(false);
        var present = new HashSet<ObjectKey>(list.Items.Count);
        foreach (var item in list.Items)
        {
            present.Add(item.Key());
            Put(item, hasGoneBack);
        }
        foreach (var (key, _) in objects)
        {
            if (!present.Contains(key))
                Remove(key, null);
        }
        synced.TrySetResult();
        return list.Metadata.ResourceVersion!;
    }

    private async Task<bool> IsBehindAsync(string version, CancellationToken cancel)
    {
        var page = await client.ListPageAsync<T>(options with { PageSize = 1 }, null, cancel).ConfigureAwait(false);
        return ulong.TryParse(page.Metadata.ResourceVersion, CultureInfo.InvariantCulture, out var now) && ulong.TryParse(version, CultureInfo.InvariantCulture, out var ours) && now < ours;
    }

    private void Take(in WatchedChange<T> change)
    {
        switch (change.Kind)
        {
            case WatchEventKind.Added or WatchEventKind.Modified:
                Put(change.Object);
                break;
            case WatchEventKind.Deleted:
                Remove(change.Object.Key(), change.Object);
                break;
        }
    }

    private void Put(T subject, bool evenIfSame = false)
    {
        var key = subject.Key();
        if (!objects.TryGetValue(key, out var old))
        {
            objects[key] = Kept(subject);
            Tell(new(ObjectChangeKind.Added, key, null, subject));
        }
        else if (old.Metadata.Uid != subject.Metadata.Uid)
        {
            // Deleted and made again while nobody was looking: both are told.
            Remove(key, null);
            Put(subject);
        }
        else if (evenIfSame || old.Metadata.ResourceVersion != subject.Metadata.ResourceVersion)
        {
            objects[key] = Kept(subject);
            Tell(new(ObjectChangeKind.Modified, key, old, subject));
        }
    }

    private T Kept(T subject) => Keep is null ? subject : Keep(subject);

    /// <param name="last">The last state where the server told it; else the one that was known.</param>
    private void Remove(ObjectKey key, T? last)
    {
        if (objects.TryRemove(key, out var old))
            Tell(new(ObjectChangeKind.Deleted, key, last ?? old, null));
    }

    private void Tell(in ObjectChange<T> change) => changes.Writer.TryWrite(change);
}
