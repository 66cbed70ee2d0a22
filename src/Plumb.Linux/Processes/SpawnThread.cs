using System.Text;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;
using Plumb.Linux.Native.Threads;
using Plumb.Linux.Sysctls;

namespace Plumb.Linux.Processes;

/// <summary>
/// A thread from which children are started: a child is born with the namespaces, root and working directory of the thread that
/// starts it. The thread puts them on, starts the child, and takes them off.
/// </summary>
/// <remarks>
/// There are two that stay. One never leaves this process's network, uts and ipc namespaces, which an ordinary user's process could not enter
/// again; the other has left them for good and rests in empty ones. Both live as long as the process: a child's death signal
/// comes when the <i>thread</i> that started it ends.
/// </remarks>
internal sealed class SpawnThread : IDisposable
{
    private const int PR_SET_DUMPABLE = 4;

    private static readonly Lazy<SpawnThread> LazyAtHome = new(static () => new SpawnThread(away: false));
    private static readonly Lazy<SpawnThread> LazyAway = new(static () => new SpawnThread(away: true));

    private readonly DedicatedThread _thread;
    private readonly bool _away;
    private readonly bool _once;
    private List<(FileDescriptor Namespace, int Type)>? _rest;
    private FileDescriptor? _homePids;
    private FileDescriptor? _neighbourPids;

    private SpawnThread(bool away, bool once = false)
    {
        _away = away;
        _once = once;
        _thread = new DedicatedThread(once ? "plumb-spawn-once" : away ? "plumb-spawn-away" : "plumb-spawn");
    }

    /// <summary>One that starts a single child and ends where that is: it may give up for the child what cannot be had again. Its children have no death signal.</summary>
    public static SpawnThread ForOne() => new(away: false, once: true);

    public static SpawnThread For(SpawnNamespaces? namespaces)
    {
        if (namespaces is { Network: null, BesideProcess: null } && (namespaces.HostName is not null || namespaces.OwnIpc))
        {
            throw new ArgumentException("a child with its own host name or ipc namespace needs a network namespace stated", nameof(namespaces));
        }
        return namespaces is { Network: not null } or { BesideProcess: not null } ? LazyAway.Value : LazyAtHome.Value;
    }

    /// <inheritdoc cref="SpawnedProcess.Unwritten"/>
    public IReadOnlyList<KernelParameter> Unwritten { get; private set; } = [];

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        _thread.End();
        _homePids?.Dispose();
    }

    /// <summary>Runs <paramref name="start"/> inside the namespaces.</summary>
    public void Run(SpawnNamespaces? namespaces, Action start) => _thread.Run(() =>
    {
        _rest ??= Settle();
        Unwritten = [];
        if (namespaces is null)
        {
            start();
            return;
        }
        try
        {
            if (namespaces.BesideProcess is { } neighbour)
            {
                Join(neighbour.Pid);
            }
            else
            {
                Enter(namespaces);
            }
            start();
        }
        finally
        {
            Leave(namespaces);
        }
    });

    /// <summary>
    /// Called from within <see cref="Run"/> for the birth itself. A thread whose children belong to another pid namespace can create no
    /// threads, which the runtime may want to do at any moment; so only this one call is made in that state.
    /// </summary>
    public int BearChild(SpawnRequest request, Func<int> bear)
    {
        var (namespaces, user) = (request.Namespaces, request.User);
        if (_once)
        {
            request.Privileges?.Enter(user);
        }
        if (user is { IsRoot: false })
        {
            var asItself = bear;
            bear = () => BearAs(user, asItself);
        }
        if (namespaces is not { OwnPids: true } && _neighbourPids is null)
        {
            return bear();
        }
        if (_neighbourPids is { } pids)
        {
            Check(Libc.SetNamespace(pids.Number, Libc.CLONE_NEWPID), "setns", "pid namespace");
        }
        else
        {
            Check(Libc.Unshare(Libc.CLONE_NEWPID), "unshare", "pid namespace");
        }
        try
        {
            return bear();
        }
        finally
        {
            LeaveFor(_homePids!, Libc.CLONE_NEWPID);
        }
    }

    /// <summary>The child is born with the thread's ids; execve(2) takes from it the saved user that the thread comes back by.</summary>
    private static int BearAs(ContainerUser user, Func<int> bear)
    {
        try
        {
            Check(Libc.SetThreadIds(user.User, user.Group, [.. user.Groups], savedUser: 0), "setresuid", $"user {user.User}, group {user.Group}");
            return bear();
        }
        finally
        {
            if (Libc.ResetThreadIds() < 0)
            {
                Environment.FailFast(SystemCallException.Last("setresuid", "the spawning thread's own user").Message);
            }
            // Whose ids change counts as somebody to hide from (prctl(2)): commands that look into the lab could not.
            _ = Libc.ProcessControl(PR_SET_DUMPABLE, 1, 0);
        }
    }

    private List<(FileDescriptor, int)> Settle()
    {
        // Without this the thread's root and working directory would be everybody's, and no mount namespace could be entered.
        Check(Libc.Unshare(Libc.CLONE_FS), "unshare", "CLONE_FS");
        if (_away)
        {
            Check(Libc.Unshare(Libc.CLONE_NEWNET | Libc.CLONE_NEWUTS | Libc.CLONE_NEWIPC), "unshare", "network, uts and ipc");
        }
        var rest = new List<(FileDescriptor, int)>();
        if (_away)
        {
            rest.Add((Own("net"), Libc.CLONE_NEWNET));
            rest.Add((Own("uts"), Libc.CLONE_NEWUTS));
            rest.Add((Own("ipc"), Libc.CLONE_NEWIPC));
        }
        _homePids = Own("pid");
        if (!_once)
        {
            rest.Add((Own("mnt"), Libc.CLONE_NEWNS));
        }
        return rest;
    }

    private void Enter(SpawnNamespaces namespaces)
    {
        if (namespaces.PidsOf is { } neighbour)
        {
            _neighbourPids = FileDescriptor.Open($"/proc/{neighbour.Pid}/ns/pid", OpenFlags.ReadOnly);
        }
        if (namespaces.Network is { } network)
        {
            Check(Libc.SetNamespace(network.Number, Libc.CLONE_NEWNET), "setns", "network namespace");
        }
        var fresh = (namespaces.HostName is null ? 0 : Libc.CLONE_NEWUTS)
            | (namespaces.OwnIpc ? Libc.CLONE_NEWIPC : 0)
            | (namespaces.Mounts.Count == 0 ? 0 : Libc.CLONE_NEWNS);
        if (fresh != 0)
        {
            Check(Libc.Unshare(fresh), "unshare", "uts, ipc and mount namespaces");
        }
        if (namespaces.HostName is { } name)
        {
            SetHostName(name);
        }
        if (namespaces is { OwnIpc: true, IpcParameters.Count: > 0 })
        {
            Unwritten = [.. namespaces.IpcParameters.Where(static one => !one.TryWriteHere())];
        }
        if (namespaces.Mounts.Count > 0)
        {
            // Mounts made here stay here; what the machine mounts later still arrives.
            Check(Libc.Mount(null, "/", null, Libc.MS_REC | Libc.MS_SLAVE, null), "mount", "/ (propagation)");
            foreach (var mount in namespaces.Mounts)
            {
                mount.Make(mount.Target);
            }
        }
    }

    private void Join(int pid)
    {
        // The mount namespace last: /proc is another one there.
        foreach (var (name, type) in (ReadOnlySpan<(string, int)>)
            [
                ("net", Libc.CLONE_NEWNET), ("uts", Libc.CLONE_NEWUTS), ("ipc", Libc.CLONE_NEWIPC),
                ("pid", Libc.CLONE_NEWPID), ("mnt", Libc.CLONE_NEWNS),
            ])
        {
            var path = $"/proc/{pid}/ns/{name}";
            var theirs = FileDescriptor.Open(path, OpenFlags.ReadOnly);
            using var mine = Own(name);
            if (FileIdentity.Of(theirs) == FileIdentity.Of(mine))
            {
                theirs.Dispose(); // shared with this process, whose it may not be to enter
            }
            else if (type == Libc.CLONE_NEWPID)
            {
                _neighbourPids = theirs;
            }
            else
            {
                Check(Libc.SetNamespace(theirs.Number, type), "setns", path);
                theirs.Dispose();
            }
        }
    }

    private static unsafe void SetHostName(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        fixed (byte* first = bytes)
        {
            Check(Libc.SetHostName(first, (nuint)bytes.Length), "sethostname", name);
        }
    }

    private void Leave(SpawnNamespaces namespaces)
    {
        _neighbourPids?.Dispose();
        _neighbourPids = null;
        foreach (var (place, type) in _rest!)
        {
            // Who has only another user namespace than its mounts (a command that looks into a lab) could not come back to them; it never leaves them.
            if (type != Libc.CLONE_NEWNS || namespaces.Mounts.Count != 0 || namespaces.BesideProcess is not null)
            {
                LeaveFor(place, type);
            }
        }
    }

    private static void LeaveFor(FileDescriptor place, int type)
    {
        if (Libc.SetNamespace(place.Number, type) < 0)
        {
            // The next child would be born in this one's namespaces.
            Environment.FailFast(SystemCallException.Last("setns", "the spawning thread's place of rest").Message);
        }
    }

    private static FileDescriptor Own(string name) => FileDescriptor.Open($"/proc/thread-self/ns/{name}", OpenFlags.ReadOnly);

    private static void Check(int result, string call, string subject)
    {
        if (result < 0)
        {
            throw SystemCallException.Last(call, subject);
        }
    }
}
