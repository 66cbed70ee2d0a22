using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>The end of a process that need not be a child.</summary>
public static class ProcessEnd
{
    /// <summary>Ends this process as <c>kill -9</c> does: nothing of it runs any more, and nothing is put in order.</summary>
    public static void KillSelf()
    {
        var descriptor = Libc.OpenProcessDescriptor(Environment.ProcessId);
        if (descriptor < 0)
        {
            throw SystemCallException.Last("pidfd_open", Environment.ProcessId.ToString());
        }
        using var self = new FileDescriptor(descriptor);
        if (Libc.SendSignal(self.Number, (int)Signal.Kill) != 0)
        {
            throw SystemCallException.Last("pidfd_send_signal", Environment.ProcessId.ToString());
        }
    }

    /// <summary>Returns when the process has ended; at once when there is none of this id.</summary>
    public static async Task WaitAsync(int processId, CancellationToken cancel)
    {
        var descriptor = Libc.OpenProcessDescriptor(processId);
        if (descriptor < 0)
        {
            var failure = SystemCallException.Last("pidfd_open", processId.ToString());
            if (failure.Errno == Errno.ESRCH)
            {
                return;
            }
            throw failure;
        }
        // A process descriptor is readable when the process has ended (pidfd_open(2)).
        using var process = new FileDescriptor(descriptor);
        await Poller.Shared.WaitReadable(process, cancel);
    }
}
