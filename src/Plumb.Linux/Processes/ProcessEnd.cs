using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>Waits for the end of a process that need not be a child.</summary>
public static class ProcessEnd
{
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
