namespace Plumb.Lab.Containers.Runs;

/// <summary>Carries one output of a process into the container's log, line by line, and as it comes to whoever is attached.</summary>
internal sealed class OutputTap
{
    private readonly ContainerLog _log;
    private readonly LogStream _kind;
    private readonly Lock _gate = new();
    private readonly List<Attached> _attached = [];

    public OutputTap(Stream output, ContainerLog log, LogStream kind)
    {
        _log = log;
        _kind = kind;
        Ended = RunAsync(output);
    }

    /// <summary>Completes when the output has ended; never faults.</summary>
    public Task Ended { get; }

    /// <summary>Shows what comes from now on, until disposed.</summary>
    public IDisposable? Attach(Stream? to)
    {
        if (to is null)
        {
            return null;
        }

        var attached = new Attached(this, to);
        lock (_gate)
        {
            _attached.Add(attached);
        }

        return attached;
    }

    private async Task RunAsync(Stream output)
    {
        var buffer = new byte[ContainerLog.MaxLineBytes];
        var pending = 0; // bytes of a line whose end has not come yet
        try
        {
            while (await output.ReadAsync(buffer.AsMemory(pending)) is var read and > 0)
            {
                await ShowAsync(buffer.AsMemory(pending, read));
                pending = Split(buffer, pending + read);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException)
        {
            // Let go of while a process that got away still holds the other end.
        }

        if (pending > 0)
        {
            _log.Append(_kind, buffer.AsSpan(0, pending), partial: true);
        }
    }

    /// <returns>How many bytes of a line's beginning are left, at the buffer's start.</returns>
    private int Split(byte[] buffer, int length)
    {
        var start = 0;
        while (buffer.AsSpan(start, length - start).IndexOf((byte)'\n') is var end and >= 0)
        {
            _log.Append(_kind, buffer.AsSpan(start, end), partial: false);
            start += end + 1;
        }

        var rest = length - start;
        if (rest == buffer.Length)
        {
            _log.Append(_kind, buffer, partial: true);
            return 0;
        }

        buffer.AsSpan(start, rest).CopyTo(buffer);
        return rest;
    }

    private async ValueTask ShowAsync(ReadOnlyMemory<byte> bytes)
    {
        Attached[] all;
        lock (_gate)
        {
            if (_attached.Count == 0)
            {
                return;
            }

            all = [.. _attached];
        }

        foreach (var attached in all)
        {
            await attached.WriteAsync(bytes);
        }
    }

    private sealed class Attached(OutputTap owner, Stream to) : IDisposable
    {
        private readonly CancellationTokenSource _left = new();

        /// <summary>A slow client slows the process, as a slow terminal does; one that left does not.</summary>
        public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
        {
            try
            {
                await to.WriteAsync(bytes, _left.Token);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
            {
                Dispose();
            }
        }

        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._attached.Remove(this);
            }

            _left.Cancel();
        }
    }
}
