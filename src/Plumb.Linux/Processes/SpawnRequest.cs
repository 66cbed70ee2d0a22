using System.Runtime.InteropServices;
using Plumb.Linux.Containers;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Sysctls;

namespace Plumb.Linux.Processes;

/// <summary>A program to start, and what it shall find around it.</summary>
/// <param name="Program">A path, or a name that is looked for in the PATH of <see cref="Environment"/>.</param>
public sealed record SpawnRequest(string Program)
{
    /// <summary>Without argv[0], which is <see cref="Program"/>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The whole environment; null: that of this process.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Null: this process's; <c>/</c> beside another process.</summary>
    public string? WorkingDirectory { get; init; }

    public SpawnStream Input { get; init; } = SpawnStream.Null;

    public SpawnStream Output { get; init; } = SpawnStream.Inherit;

    public SpawnStream Error { get; init; } = SpawnStream.Inherit;

    /// <summary>A terminal instead of the three streams above; the child leads a session of its own and this terminal controls it.</summary>
    public PseudoTerminal? Terminal { get; init; }

    /// <summary><c>setsid(2)</c>: signals from the own terminal (Ctrl-C) do not reach it.</summary>
    public bool OwnSession { get; init; } = true;

    /// <summary>
    /// Sent to the child when this process ends, however it ends (PR_SET_PDEATHSIG, set by util-linux's <c>setpriv</c> on the way);
    /// null: none. Children in a pid namespace that ends with this process need none.
    /// </summary>
    public Signal? DeathSignal { get; init; }

    /// <summary>Null: the child shares this process's namespaces.</summary>
    public SpawnNamespaces? Namespaces { get; init; }

    /// <summary>
    /// The program replaces itself by another one when it has prepared what that finds (<see cref="Containers.ContainerRoot"/>): whoever starts beside it waits until then.
    /// </summary>
    public bool BecomesAnother { get; init; }

    /// <summary>Whom the child runs as; null: as this process does. Only ids that the user namespace has can be had, and only without <see cref="SpawnNamespaces.OwnPids"/>.</summary>
    public ContainerUser? User { get; init; }

    /// <summary>What it and its programs may do; null: what this process may. A program that <see cref="BecomesAnother"/> sees to it itself.</summary>
    public Privileges? Privileges { get; init; }

    /// <summary>
    /// The child is in this group before its own program runs, and sees it as the root of all; null: it is where this process is. Beside a process
    /// (<see cref="SpawnNamespaces.BesideProcess"/>) it is moved there right after its start.
    /// </summary>
    public ControlGroup? Group { get; init; }

    /// <summary>More descriptors for the child, by the number that each has there (3 and up).</summary>
    public IReadOnlyDictionary<int, SafeHandle>? Descriptors { get; init; }
}

/// <summary>Where a child's standard stream goes.</summary>
public sealed record SpawnStream
{
    private SpawnStream(SpawnStreamKind kind, SafeHandle? descriptor = null)
    {
        Kind = kind;
        Descriptor = descriptor;
    }

    /// <summary>This process's own.</summary>
    public static SpawnStream Inherit { get; } = new(SpawnStreamKind.Inherit);

    /// <summary><c>/dev/null</c></summary>
    public static SpawnStream Null { get; } = new(SpawnStreamKind.Null);

    /// <summary>A pipe whose other end <see cref="SpawnedProcess"/> has.</summary>
    public static SpawnStream Pipe { get; } = new(SpawnStreamKind.Pipe);

    internal SpawnStreamKind Kind { get; }

    internal SafeHandle? Descriptor { get; }

    /// <summary>An open file, pipe or socket; it stays the caller's.</summary>
    public static SpawnStream Of(SafeHandle descriptor) => new(SpawnStreamKind.Descriptor, descriptor);
}

internal enum SpawnStreamKind
{
    Inherit,
    Null,
    Pipe,
    Descriptor,
}

/// <summary>The namespaces that a child starts in. What is not stated is shared with this process.</summary>
public sealed record SpawnNamespaces
{
    /// <summary>
    /// Required when <see cref="HostName"/> or <see cref="OwnIpc"/> is stated: an ordinary user's process cannot go back to the
    /// host's, so that the thread which starts such children has none to give.
    /// </summary>
    public NetworkNamespace? Network { get; init; }

    /// <summary>A uts namespace of its own with this name.</summary>
    public string? HostName { get; init; }

    public bool OwnIpc { get; init; }

    /// <summary>What is written in its ipc namespace, if that is its own. Those that the kernel lets nobody here write are told by <see cref="SpawnedProcess.Unwritten"/>.</summary>
    public IReadOnlyList<KernelParameter> IpcParameters { get; init; } = [];

    /// <summary>The child is pid 1 of a pid namespace of its own with its own <c>/proc</c>: when it ends, all that it started ends.</summary>
    public bool OwnPids { get; init; }

    /// <summary>
    /// The child is born into the pid namespace of a process of which Plumb is the parent, with a <c>/proc</c> that shows it. That process's end is the child's, and
    /// not the other way: what the child leaves behind is the other's.
    /// </summary>
    public SpawnedProcess? PidsOf { get; init; }

    /// <summary>A mount namespace of its own, in which the child itself changes what it sees. Part of <see cref="OwnPids"/> and <see cref="PidsOf"/>.</summary>
    public bool OwnMounts { get; init; }

    /// <summary>Files and directories that the child sees at other places; not empty: it has a mount namespace of its own.</summary>
    public IReadOnlyList<BindMount> Mounts { get; init; } = [];

    /// <summary>Start beside a process of which Plumb is the parent, in all its namespaces (<c>kubectl exec</c>). The others must not be stated.</summary>
    public SpawnedProcess? BesideProcess { get; init; }
}


/// <summary>Signals by their numbers on x86-64 and arm64 (<c>signal(7)</c>).</summary>
public enum Signal
{
    Hangup = 1,
    Interrupt = 2,
    Quit = 3,
    Abort = 6,
    Kill = 9,
    User1 = 10,
    SegmentationFault = 11,
    User2 = 12,
    Pipe = 13,
    Alarm = 14,
    Terminate = 15,
    Child = 17,
    Continue = 18,
    Stop = 19,
    TerminalStop = 20,
    WindowChange = 28,
}

/// <summary>How a process ended.</summary>
/// <param name="Code">What it returned, 0–255; of one that a signal ended: 128 + the signal, as shells and kubelets say it.</param>
/// <param name="EndedBy">The signal that ended it; null when it ended by itself.</param>
public readonly record struct ExitStatus(int Code, Signal? EndedBy)
{
    public override string ToString() => EndedBy is { } signal ? $"ended by signal {(int)signal} ({signal})" : $"exit code {Code}";
}
