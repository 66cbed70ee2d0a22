using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>
/// The duty of pid 1: processes whose parent has ended become its children, and stay as zombies until it reaps them.
/// </summary>
/// <remarks>
/// Once anything in .NET listens to SIGCHLD (the console does), the runtime of a process that is pid 1 reaps whatever it finds, and
/// with it the exit codes of those whom <see cref="Spawn"/> started. So the signal is taken away from it for good, and a thread
/// that needs no signal waits instead. The price: in a process that is pid 1, <c>System.Diagnostics.Process</c> learns of no exit.
/// </remarks>
internal sealed class OrphanReaper
{
    private static readonly Lazy<OrphanReaper> LazyShared = new(static () => new OrphanReaper());

    private readonly PosixSignalRegistration _registration;

    private OrphanReaper()
    {
        // The runtime installs its handler once; after this registration it believes that it has, whatever listens later.
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, static _ => { });
        if (Libc.SetSignalDisposition((int)Signal.Child, Libc.SIG_DFL) == Libc.SIG_ERR)
        {
            throw SystemCallException.Last("signal", "SIGCHLD");
        }
        new Thread(Loop, maxStackSize: 1 << 20) { IsBackground = true, Name = "plumb-reaper" }.UnsafeStart();
    }

    /// <summary>Told the pid of each orphan.</summary>
    public static event Action<int>? Reaped;

    /// <summary>Begins, once, if this process is pid 1; orphans come to no other. To be called before the first child is started.</summary>
    public static void StartIfInit()
    {
        if (Environment.ProcessId == 1)
        {
            GC.KeepAlive(LazyShared.Value._registration);
        }
    }

    private static void Loop()
    {
        while (true)
        {
            if (Children.ReapNext() is { } orphan)
            {
                Reaped?.Invoke(orphan);
            }
        }
    }
}
