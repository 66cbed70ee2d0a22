using Plumb.Api.Streaming;

namespace Plumb.Lab.Containers;

/// <summary>
/// One container of one pod over its whole life, restarts included. Whether a process or a built-in workload runs in it shows only in <see cref="Substitution"/>.
/// </summary>
/// <remarks>All members may be called from any thread. Refusals of a stream are <see cref="PodStreamException"/>s, ready for the API's answer.</remarks>
public interface IContainer : IAsyncDisposable
{
    ContainerSpec Spec { get; }

    /// <summary>The present state. A value, replaced as a whole; whoever created the container is told of each.</summary>
    ContainerStatus Status { get; }

    /// <summary>What an `ImageSubstituted` event says: which program stands in for the image.</summary>
    string Substitution { get; }

    /// <summary>`imageID` of the container's status: the image's digest, or what stands in for it.</summary>
    string ImageId { get; }

    /// <summary>What is otherwise than the container asks for. Known when it runs.</summary>
    IReadOnlyList<ContainerRemark> Remarks { get; }

    /// <summary>What the next run may take of the machine.</summary>
    ContainerLimits Limits { get; set; }

    /// <summary>Puts <see cref="Limits"/> into force for the present run, if there is any.</summary>
    /// <returns>What does not hold; null: they do.</returns>
    ContainerRemark? HoldLimits();

    /// <summary>What the present run has of the machine's memory; null: none runs, or nobody counts.</summary>
    long? MemoryBytes { get; }

    /// <summary>Starts the first run. Restarts follow by the pod's restart policy, with its back-off. Failures to start are states, not exceptions.</summary>
    void Start();

    /// <summary>Whether it is a program of Plumb's own that can be asked to hear out who has come; others hear of their end by SIGTERM alone.</summary>
    bool IsBuiltIn { get; }

    /// <summary>Nobody is sent to a built-in workload any more: returns when all who were on their way have been taken in and have asked.</summary>
    Task SettleAsync(CancellationToken cancel);

    /// <summary>SIGTERM, SIGKILL after the grace period, no restart. Returns when nothing of the container runs any more; again and again is harmless.</summary>
    Task StopAsync(TimeSpan grace);

    /// <summary>Ends the present run as a failed liveness probe does: SIGTERM, grace, SIGKILL, then another run unless the restart policy is never.</summary>
    Task RestartAsync(TimeSpan grace);

    /// <summary>Completes when the container has ended for good: its restart policy lets it rest, or it was stopped.</summary>
    Task Ended { get; }

    /// <inheritdoc cref="IPodRuntime.LogAsync"/>
    Task LogAsync(LogRequest request, Stream output, CancellationToken cancel);

    /// <summary>Also the way in which exec probes run. In the container's namespaces, with the host's file system.</summary>
    /// <inheritdoc cref="IPodRuntime.ExecAsync"/>
    Task<CommandOutcome> ExecAsync(ExecRequest request, CommandStreams streams, CancellationToken cancel);

    /// <inheritdoc cref="IPodRuntime.AttachAsync"/>
    Task<CommandOutcome> AttachAsync(AttachRequest request, CommandStreams streams, CancellationToken cancel);
}

/// <summary>Something that a container asks for and does not have: an event of its pod.</summary>
public readonly record struct ContainerRemark(string Reason, string Message);
