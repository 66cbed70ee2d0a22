namespace Plumb.Api.Streaming.Spdy;

/// <summary>
/// What may still be sent to the peer, per stream and in all (SPDY/3.1 section 2.6.8).
/// </summary>
/// <remarks>
/// The library behind kubectl neither sends WINDOW_UPDATE nor heeds it, so that a server that insists on credit would stop for ever after 64 KiB.
/// Windows count only once the peer has shown, by a WINDOW_UPDATE or an initial window, that it keeps them; until then TCP alone holds us back.
/// </remarks>
internal sealed class SendWindows
{
    public const int DefaultBytes = 64 * 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<uint, long> streams = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long session = DefaultBytes;
    private long initial = DefaultBytes;
    private bool peerKeepsWindows;

    public void Open(uint streamId)
    {
        lock (gate)
            streams[streamId] = initial;
    }

    /// <summary>Whoever waits to send on it gets an IOException.</summary>
    public void Close(uint streamId)
    {
        lock (gate)
        {
            streams.Remove(streamId);
            Wake();
        }
    }

    /// <summary>Waits until at least one byte may be sent.</summary>
    /// <returns>How many bytes may be sent now, at most <paramref name="wantedBytes"/>; they are spent.</returns>
    public async ValueTask<int> TakeAsync(uint streamId, int wantedBytes, CancellationToken cancel)
    {
        while (true)
        {
            Task more;
            lock (gate)
            {
                if (!streams.TryGetValue(streamId, out var stream))
                    throw new IOException("the stream is closed");
                var granted = peerKeepsWindows ? (int)Math.Min(wantedBytes, Math.Min(stream, session)) : wantedBytes;
                if (granted > 0)
                {
                    session -= granted;
                    streams[streamId] = stream - granted;
                    return granted;
                }

                more = changed.Task;
            }

            await more.WaitAsync(cancel);
        }
    }

    /// <param name="streamId">0 for the whole connection.</param>
    /// <returns>False when the window would pass 2^31 - 1: the peer is at fault.</returns>
    public bool Credit(uint streamId, uint bytes)
    {
        lock (gate)
        {
            peerKeepsWindows = true;
            if (streamId == 0)
                session += bytes;
            else if (streams.TryGetValue(streamId, out var window))
                streams[streamId] = window + bytes;
            Wake();
            return session <= int.MaxValue && streams.GetValueOrDefault(streamId) <= int.MaxValue;
        }
    }

    public void SetInitial(int bytes)
    {
        lock (gate)
        {
            peerKeepsWindows = true;
            foreach (var id in streams.Keys)
                streams[id] += bytes - initial;
            initial = bytes;
            Wake();
        }
    }

    private void Wake()
    {
        changed.SetResult();
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
