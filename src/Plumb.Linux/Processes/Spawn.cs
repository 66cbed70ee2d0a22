using System.Runtime.InteropServices;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>Starts processes; nothing else in Plumb does.</summary>
/// <remarks>
/// <para>By <c>posix_spawn</c>: the child shares this process's memory until it runs its program, so that starting one costs the same however
/// large this process is.</para>
/// <para>Nothing but what the request states is inherited: every other descriptor is close-on-exec, no signal is blocked or ignored.</para>
/// </remarks>
public static unsafe class Spawn
{
    private const int SpawnStructureBytes = 1024; // more than any libc's posix_spawn_file_actions_t or posix_spawnattr_t
    private const int GroupDescriptor = 9; // shells know those of one digit
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    // What this process itself inherited is for it alone. An older kernel that cannot do this leaves it open, as any program would.
    static Spawn() => _ = Libc.CloseOnExecFrom(3);

    /// <exception cref="SystemCallException">The program is not found (ENOENT), cannot be run, or a namespace or mount is refused. Nothing was started.</exception>
    public static SpawnedProcess Start(SpawnRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        OrphanReaper.StartIfInit();
        request.Namespaces?.BesideProcess?.WaitUntilItself();
        using var members = request is { Group: { } joined, Namespaces.BesideProcess: null } ? joined.OpenMembers() : null;
        if (members is not null)
        {
            request = request with { Descriptors = new Dictionary<int, SafeHandle>(request.Descriptors ?? new Dictionary<int, SafeHandle>()) { [GroupDescriptor] = members } };
        }
        using var streams = new ChildStreams(request);
        // What a thread gives up for its child it never has again.
        using var once = request is { Privileges: not null, Namespaces.BesideProcess: not null } ? SpawnThread.ForOne() : null;
        var thread = once ?? SpawnThread.For(request.Namespaces);
        var child = Children.Add(() =>
        {
            SpawnedProcess? started = null;
            thread.Run(request.Namespaces, () => started = StartHere(request, streams, thread));
            return started!;
        });
        request.Terminal?.GivenAway();
        if (request is { Group: { } group, Namespaces.BesideProcess: not null })
        {
            MoveTo(group, child);
        }
        return child;
    }

    private static SpawnedProcess StartHere(SpawnRequest request, ChildStreams streams, SpawnThread thread)
    {
        var program = Find(request.Program, request.Environment);
        var wrappers = Wrappers(request, program);
        var pid = wrappers is null
            ? Run(program, [request.Program, .. request.Arguments], request, streams, thread)
            : Run(Find(wrappers.Arguments[0], null), wrappers.Arguments, request, streams, thread);
        var descriptor = Libc.OpenProcessDescriptor(pid);
        return descriptor >= 0
            ? new SpawnedProcess(pid, new FileDescriptor(descriptor), wrappers, streams.TakeInput(), streams.TakeOutput(), streams.TakeError()) { Unwritten = thread.Unwritten }
            : throw SystemCallException.Last("pidfd_open", pid.ToString());
    }

    // Some things only the child can do for itself, after it is born and before it runs its program; util-linux has programs that do
    // one such thing and then become the next: no process more is left.
    private static WrapperChain? Wrappers(SpawnRequest request, string program)
    {
        var wrappers = new List<string[]>();
        if (request.DeathSignal is { } signal)
        {
            wrappers.Add(["setpriv", "--pdeathsig", KernelName(signal), "--"]);
        }
        var namespaces = new List<string>();
        if (request is { Group: { } group, Namespaces.BesideProcess: null })
        {
            // By a file that was opened here: in the child's mount namespace it may be another, or read-only.
            wrappers.Add(["/bin/sh", "-c", $"echo 0 >&{GroupDescriptor} && exec \"$@\" {GroupDescriptor}>&-", "group"]);
            namespaces.Add("--cgroup");
        }
        if (request.Namespaces is { OwnPids: true } or { PidsOf: not null })
        {
            namespaces.AddRange("--mount", "--propagation", "unchanged", "--mount-proc");
        }
        else if (request.Namespaces is { OwnMounts: true })
        {
            namespaces.AddRange("--mount", "--propagation", "unchanged");
        }
        if (namespaces.Count > 0)
        {
            wrappers.Add(["unshare", .. namespaces, "--"]);
        }
        if (request is { Privileges: { } privileges, BecomesAnother: false } && request.Namespaces?.BesideProcess is null)
        {
            wrappers.Add([.. privileges.ToWrapper(request.User)]);
        }
        if (request.BecomesAnother)
        {
            wrappers.Add([program, .. request.Arguments]);
            return new WrapperChain(wrappers, []);
        }
        return wrappers.Count == 0 ? null : new WrapperChain(wrappers, [program, .. request.Arguments]);
    }

    // Inside a container there may be no program that could do it.
    private static void MoveTo(ControlGroup group, SpawnedProcess child)
    {
        try
        {
            group.Take(child.Pid);
        }
        catch (IOException)
        {
            // It has ended already, or the group has with its container: the child is ended by that.
        }
    }

    // setpriv takes no numbers.
    private static string KernelName(Signal signal) => signal switch
    {
        Signal.Kill => "KILL",
        Signal.Terminate => "TERM",
        Signal.Interrupt => "INT",
        Signal.Hangup => "HUP",
        Signal.Quit => "QUIT",
        _ => throw new ArgumentException($"{signal} is no signal to die of"),
    };

    internal static string Find(string program, IReadOnlyDictionary<string, string>? environment)
    {
        if (program.Contains('/', StringComparison.Ordinal))
        {
            return program;
        }
        var path = environment is null ? Environment.GetEnvironmentVariable("PATH") : environment.GetValueOrDefault("PATH");
        foreach (var directory in (path ?? DefaultPath).Split(':'))
        {
            var candidate = $"{(directory.Length == 0 ? "." : directory)}/{program}";
            if (Libc.Access(candidate, Libc.X_OK) == 0 && !Directory.Exists(candidate))
            {
                return candidate;
            }
        }
        throw new SystemCallException("exec", Errno.ENOENT, $"\"{program}\": executable file not found in $PATH");
    }

    private static int Run(string path, List<string> arguments, SpawnRequest request, ChildStreams streams, SpawnThread thread)
    {
        var actions = stackalloc byte[SpawnStructureBytes];
        var attributes = stackalloc byte[SpawnStructureBytes];
        using var argumentVector = new StringVector(arguments);
        using var environmentVector = new StringVector(EnvironmentBlock.Of(request.Environment));
        Check(Libc.SpawnFileActionsInit(actions), "posix_spawn_file_actions_init");
        Check(Libc.SpawnAttributesInit(attributes), "posix_spawnattr_init");
        try
        {
            SetSignals(attributes, request.OwnSession || request.Terminal is not null);
            streams.Describe(actions);
            // The thread's own directory is not this process's any more once it has been in another mount namespace.
            var directory = request.WorkingDirectory ?? (request.Namespaces?.BesideProcess is null ? Environment.CurrentDirectory : "/");
            Check(Libc.SpawnFileActionsAddChangeDirectory(actions, directory), "posix_spawn_file_actions_addchdir_np");
            var pid = 0;
            var (argumentPointers, environmentPointers) = ((nint)argumentVector.Pointers, (nint)environmentVector.Pointers);
            var (actionPointer, attributePointer) = ((nint)actions, (nint)attributes);
            var errno = (Errno)thread.BearChild(request, () =>
            {
                int born;
                var result = Libc.PosixSpawn(
                    &born, path, (byte*)actionPointer, (byte*)attributePointer, (byte**)argumentPointers, (byte**)environmentPointers);
                pid = born;
                return result;
            });
            return errno == Errno.None ? pid : throw new SystemCallException("exec", errno, $"\"{path}\"");
        }
        finally
        {
            _ = Libc.SpawnFileActionsDestroy(actions);
            _ = Libc.SpawnAttributesDestroy(attributes);
        }
    }

    private static void SetSignals(byte* attributes, bool ownSession)
    {
        const int signalSetBytes = 128;
        var all = stackalloc byte[signalSetBytes];
        var none = stackalloc byte[signalSetBytes];
        NativeMemory.Clear(none, signalSetBytes);
        _ = Libc.SignalSetFill(all);
        Check(Libc.SpawnAttributesSetDefaultSignals(attributes, all), "posix_spawnattr_setsigdefault");
        Check(Libc.SpawnAttributesSetSignalMask(attributes, none), "posix_spawnattr_setsigmask");
        var flags = Libc.POSIX_SPAWN_SETSIGDEF | Libc.POSIX_SPAWN_SETSIGMASK | (ownSession ? Libc.POSIX_SPAWN_SETSID : 0);
        Check(Libc.SpawnAttributesSetFlags(attributes, (short)flags), "posix_spawnattr_setflags");
    }

    // The posix_spawn family returns its error numbers.
    private static void Check(int errno, string call)
    {
        if (errno != 0)
        {
            throw new SystemCallException(call, (Errno)errno);
        }
    }
}
