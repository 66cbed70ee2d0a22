namespace Plumb.Lab;

/// <summary>A step of a lab's start (or end), reported when it is reached.</summary>
/// <param name="Elapsed">Since the command's process began.</param>
/// <param name="Detail">For a person: how many of how many, which node, what is waited for.</param>
public sealed record LabProgress(LabStep Step, TimeSpan Elapsed, string? Detail = null)
{
    /// <summary>So many of <see cref="Total"/> are done, for steps that count; 0 of 0 otherwise.</summary>
    public int Done { get; init; }

    public int Total { get; init; }

    /// <summary>With <see cref="LabStep.Ready"/>: the lab that came to be.</summary>
    public LabStatus? Lab { get; init; }
}

public enum LabStep
{
    /// <summary>The lab's process runs and holds its name.</summary>
    Claimed = 1,

    /// <summary>The API server answers.</summary>
    Api,

    /// <summary>The wire and the nodes' network namespaces exist.</summary>
    Wire,

    /// <summary>Nodes that are Ready, counted.</summary>
    Nodes,

    /// <summary>Objects of the manifests created, counted.</summary>
    Manifests,

    /// <summary>Pods that are Ready, counted.</summary>
    Pods,

    Ready,

    Stopping,

    /// <summary>The lab cannot be; <see cref="LabProgress.Detail"/> is the one line that says why.</summary>
    Failed,
}
