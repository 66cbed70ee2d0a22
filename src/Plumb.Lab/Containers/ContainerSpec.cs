namespace Plumb.Lab.Containers;

public enum RestartPolicy { Always, OnFailure, Never }

public enum PortProtocol { Tcp, Udp, Sctp }

/// <summary>What a container shall run: the fields of core/v1 Container that the lab honours.</summary>
/// <param name="Command">Empty: the image's own, hence a built-in workload in its place.</param>
/// <param name="Args">With a command its further words; without one the workload's options.</param>
public sealed record ContainerSpec(string Name, string Image, IReadOnlyList<string> Command, IReadOnlyList<string> Args)
{
    public IReadOnlyList<EnvironmentVariable> Environment { get; init; } = [];

    public IReadOnlyList<ContainerPort> Ports { get; init; } = [];

    public IReadOnlyList<ContainerMount> Mounts { get; init; } = [];

    /// <summary>Null: `/`.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>A container's own (sidecars) or its pod's.</summary>
    public RestartPolicy RestartPolicy { get; init; }

    /// <summary>`NAME=value`, as the image has them.</summary>
    public IReadOnlyList<string> ImageEnvironment { get; init; } = [];

    /// <summary>HOME, unless somebody says otherwise. Of a container with the machine's files: the one directory that is its own.</summary>
    public string Home { get; init; } = "/tmp";

    /// <summary>`runAsUser[:runAsGroup]`; empty: as the image has it.</summary>
    public string User { get; init; } = "";

    /// <summary>`fsGroup` and `supplementalGroups`</summary>
    public IReadOnlyList<uint> Groups { get; init; } = [];

    /// <summary>`readOnlyRootFilesystem`</summary>
    public bool ReadOnlyRoot { get; init; }

    /// <summary>`runAsNonRoot`</summary>
    public bool NotRoot { get; init; }

    public ContainerSecurity Security { get; init; } = ContainerSecurity.Default;

    /// <summary>Where the command may leave its last words; null: `/dev/termination-log`.</summary>
    public string? MessagePath { get; init; }

    /// <summary>`terminationMessagePolicy: FallbackToLogsOnError`: the end of its log speaks for a command that failed without a word.</summary>
    public bool MessageFromLog { get; init; }

    /// <summary>`tty`: the command has a terminal, and its log what it writes there.</summary>
    public bool Terminal { get; init; }

    /// <summary>`stdin`: attach can write to it. Otherwise the command reads an end of file.</summary>
    public bool Stdin { get; init; }

    /// <summary>`targetContainerName`: the container of the same pod whose processes this one sees; null: it sees its own.</summary>
    public string? Target { get; init; }

    /// <summary>`resources`</summary>
    public ContainerLimits Limits { get; init; } = ContainerLimits.None;

    /// <summary>`stdinOnce`: standard input ends with the first attach.</summary>
    public bool StdinOnce { get; init; }
}

/// <summary>What a container may take of the machine.</summary>
/// <param name="MemoryBytes">`limits.memory`; null: as much as there is.</param>
/// <param name="Processors">`limits.cpu`; null: as many as there are.</param>
/// <param name="Share">`requests.cpu`, else the limit: what it gets of the processors when all are wanted, beside what others ask for.</param>
public sealed record ContainerLimits(decimal? MemoryBytes, decimal? Processors, decimal? Share)
{
    public static ContainerLimits None { get; } = new(null, null, null);

    /// <summary>Whether somebody would miss them.</summary>
    public bool AreAny => MemoryBytes is not null || Processors is not null;
}

/// <summary>One `env` entry. References to ConfigMaps and Secrets are resolved by the kubelet's part; fields of the pod are resolved here.</summary>
/// <param name="Value">May hold `$(NAME)`, which means an earlier variable.</param>
/// <param name="FieldPath">`metadata.name`, `status.podIP`, `metadata.labels['app']`…; null for a plain value.</param>
public sealed record EnvironmentVariable(string Name, string Value, string? FieldPath = null)
{
    /// <summary>Nothing in the value is replaced: it comes from a ConfigMap or a Secret.</summary>
    public bool IsLiteral { get; init; }
}

/// <param name="Name">Empty for one without a name.</param>
public sealed record ContainerPort(ushort Number, PortProtocol Protocol, string Name);

/// <summary>A directory or file of the host's that the container sees at another place.</summary>
public sealed record ContainerMount(string Source, string Target, bool ReadOnly);
