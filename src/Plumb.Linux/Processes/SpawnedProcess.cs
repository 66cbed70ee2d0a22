using Plumb.Linux.Native;
using Plumb.Linux.Sysctls;

namespace Plumb.Linux.Processes;

/// <summary>A child. It is held by a pidfd, so that a signal never reaches another process that got its number.</summary>
public sealed class SpawnedProcess : IDisposable
{
    private readonly FileDescriptor _descriptor;
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WrapperChain? _wrappers;

    /// <param name="wrappers">What the child runs before its own program; null: nothing.</param>
    internal SpawnedProcess(int pid, FileDescriptor descriptor, WrapperChain? wrappers, Stream? input, Stream? output, Stream? error)
    {
        Pid = pid;
        _descriptor = descriptor;
        _wrappers = wrappers;
        Input = input;
        Output = output;
        Error = error;
    }

    /// <summary>As this process's pid namespace numbers it.</summary>
    public int Pid { get; }

    /// <summary>Parameters of its namespaces that are not this user's to write, and were not written.</summary>
    public IReadOnlyList<KernelParameter> Unwritten { get; internal init; } = [];

    /// <summary>The writing end of the child's input, when that is a pipe. Disposing of it is the child's end of input.</summary>
    public Stream? Input { get; }

    /// <summary>The reading end of the child's output, when that is a pipe.</summary>
    public Stream? Output { get; }

    /// <summary>The reading end of the child's error output, when that is a pipe.</summary>
    public Stream? Error { get; }

    /// <summary>Completes when the child has ended and has been reaped.</summary>
    public Task<ExitStatus> Exited => _exited.Task;

    /// <summary>Sends a signal; false when the child has ended already.</summary>
    public bool Kill(Signal signal = Signal.Kill)
    {
        var isHeld = false;
        try
        {
            // Whoever reaps the child closes it: the number may be another file's by then.
            _descriptor.DangerousAddRef(ref isHeld);
            if (Libc.SendSignal(_descriptor.Number, (int)signal) == 0)
            {
                return true;
            }
            return Libc.LastErrno == Errno.ESRCH ? false : throw SystemCallException.Last("pidfd_send_signal", $"{signal} to {Pid}");
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (isHeld)
            {
                _descriptor.DangerousRelease();
            }
        }
    }

    /// <summary>Ends the leader of a session of its own (<see cref="SpawnRequest.OwnSession"/>) with all that it started and that did not begin another; also after it has ended itself.</summary>
    public void KillSession() => _ = Libc.Kill(-Pid, (int)Signal.Kill);

    /// <summary>Closes what Plumb holds of the child; the child itself goes on, and is still reaped when it ends.</summary>
    public void Dispose()
    {
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
    }

    /// <summary>Blocks until the child runs its own program and no wrapper any more, or has ended: some milliseconds after its start at most.</summary>
    internal void WaitUntilItself()
    {
        if (_wrappers is not { } wrappers)
        {
            return;
        }
        var isHeld = false;
        try
        {
            _descriptor.DangerousAddRef(ref isHeld);
            wrappers.WaitUntilReplaced(Pid, _descriptor.Number);
            _wrappers = null;
        }
        catch (ObjectDisposedException)
        {
            // It has ended; whoever wanted to join it is told so by the kernel.
        }
        finally
        {
            if (isHeld)
            {
                _descriptor.DangerousRelease();
            }
        }
    }

    internal Task WaitUntilEnded() => Poller.Shared.WaitReadable(_descriptor, CancellationToken.None);

    internal void SetExited(ExitStatus status)
    {
        if (_exited.TrySetResult(status))
        {
            _descriptor.Dispose();
        }
    }

    internal void SetLost(Exception exception) => _exited.TrySetException(exception);
}
