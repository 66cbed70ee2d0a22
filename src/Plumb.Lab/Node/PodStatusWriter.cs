namespace Plumb.Lab.Node;

/// <summary>Sends a pod's status when it changed, one patch at a time; what changes meanwhile goes into the next one.</summary>
internal sealed class PodStatusWriter(NodeContext node, PodName pod, Func<ReadOnlyMemory<byte>> report, Lock gate, CancellationToken shutdown)
{
    private Task _sending = Task.CompletedTask;
    private bool _isSending;
    private bool _changed;
    private bool _finished;
    private bool _refused;

    public void Changed()
    {
        lock (gate)
        {
            if (_finished || _refused)
            {
                return;
            }
            _changed = true;
            if (!_isSending)
            {
                _isSending = true;
                _sending = Task.Run(SendAsync, CancellationToken.None);
            }
        }
    }

    /// <summary>Sends it once more, even where it was refused before: the API may have forgotten it, or know the pod again.</summary>
    public void Again()
    {
        lock (gate)
        {
            _refused = false;
        }
        Changed();
    }

    /// <summary>Sends nothing more until <see cref="Again"/>: what the API has by this name is not what this is about.</summary>
    public void Stop()
    {
        lock (gate)
        {
            (_refused, _changed) = (true, false);
        }
    }

    /// <summary>Sends the last status and takes no more.</summary>
    public Task FinishAsync()
    {
        Changed();
        lock (gate)
        {
            _finished = true;
            return _sending;
        }
    }

    private async Task SendAsync()
    {
        while (true)
        {
            ReadOnlyMemory<byte> patch;
            lock (gate)
            {
                if (!_changed || shutdown.IsCancellationRequested)
                {
                    _isSending = false;
                    return;
                }
                _changed = false;
                patch = report();
            }
            try
            {
                if (!await node.Api.PatchPodStatusAsync(pod, patch, shutdown))
                {
                    Stop();
                }
            }
            catch (OperationCanceledException) when (shutdown.IsCancellationRequested)
            {
                // Nobody is left to tell.
            }
        }
    }
}
