using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>
/// The children that <see cref="Spawn"/> started and that have not been reaped. Whoever reaps does it here, under one lock, so that
/// the reaper of orphans and the wait for one child never take an exit status from one another.
/// </summary>
internal static class Children
{
    private const int SizeOfSignalInfo = 128;

    private static readonly Lock Gate = new();
    private static readonly AutoResetEvent Added = new(false);
    private static readonly Dictionary<int, SpawnedProcess> Running = [];

    /// <summary>Starts a child and enters it, before anybody can ask whose pid that is.</summary>
    public static SpawnedProcess Add(Func<SpawnedProcess> start)
    {
        SpawnedProcess child;
        lock (Gate)
        {
            child = start();
            Running.Add(child.Pid, child);
        }
        Added.Set();
        _ = ReapWhenEnded(child);
        return child;
    }

    /// <summary>
    /// Waits until any child of this process has ended, and reaps it. Returns its pid if nobody here started it, else null. Only for pid 1,
    /// whose every child is either its own or an orphan.
    /// </summary>
    public static unsafe int? ReapNext()
    {
        var info = stackalloc byte[SizeOfSignalInfo];
        NativeMemory.Clear(info, SizeOfSignalInfo);
        if (Libc.WaitId(Libc.P_ALL, 0, info, Libc.WEXITED | Libc.WNOWAIT) < 0)
        {
            if (Libc.LastErrno == Errno.ECHILD)
            {
                Added.WaitOne(); // without children there are no orphans either
            }
            return null;
        }
        var pid = PidOf(info);
        SpawnedProcess? child;
        lock (Gate)
        {
            Running.Remove(pid, out child);
            if (Libc.WaitId(Libc.P_PID, (uint)pid, info, Libc.WEXITED | Libc.WNOHANG) < 0)
            {
                return null; // whoever awaited this very child was faster
            }
        }
        child?.SetExited(StatusOf(info));
        return child is null ? pid : null;
    }

    private static async Task ReapWhenEnded(SpawnedProcess child)
    {
        try
        {
            await child.WaitUntilEnded().ConfigureAwait(false);
            Reap(child);
        }
        catch (Exception exception) when (exception is SystemCallException or ObjectDisposedException)
        {
            // Reaped by the other way in between, or a wait that the kernel refused: the latter must reach whoever awaits.
            child.SetLost(exception);
        }
    }

    private static unsafe void Reap(SpawnedProcess child)
    {
        var info = stackalloc byte[SizeOfSignalInfo];
        NativeMemory.Clear(info, SizeOfSignalInfo);
        lock (Gate)
        {
            if (!Running.Remove(child.Pid))
            {
                return;
            }
            if (Libc.WaitId(Libc.P_PID, (uint)child.Pid, info, Libc.WEXITED) < 0)
            {
                throw SystemCallException.Last("waitid", child.Pid.ToString());
            }
        }
        child.SetExited(StatusOf(info));
    }

    // siginfo_t of SIGCHLD on 64-bit machines: si_code at 8, si_pid at 16, si_status at 24.
    private static unsafe int PidOf(byte* info) => *(int*)(info + 16);

    private static unsafe ExitStatus StatusOf(byte* info)
    {
        const int CLD_EXITED = 1;
        var status = *(int*)(info + 24);
        return *(int*)(info + 8) == CLD_EXITED ? new ExitStatus(status, null) : new ExitStatus(128 + status, (Signal)status);
    }
}
