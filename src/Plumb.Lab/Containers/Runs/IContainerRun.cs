using Plumb.Api.Streaming;

namespace Plumb.Lab.Containers.Runs;

/// <summary>One run of a container: what is between two restarts.</summary>
internal interface IContainerRun : IDisposable
{
    /// <summary>Completes when nothing of the run goes on and all its output is in the log.</summary>
    Task<RunEnd> Ended { get; }

    /// <summary>Asks, waits, kills; completes with <see cref="Ended"/>.</summary>
    Task StopAsync(TimeSpan grace);

    /// <summary>What it may take of the machine from now on.</summary>
    /// <returns>What does not hold; null: all does.</returns>
    ContainerRemark? Limit(ContainerLimits limits);

    /// <summary>Null: nobody counts.</summary>
    long? MemoryBytes => null;

    Task<CommandOutcome> ExecAsync(ExecRequest request, CommandStreams streams, CancellationToken cancel);

    /// <summary>Until the run ends or the token is cancelled.</summary>
    Task<CommandOutcome> AttachAsync(AttachRequest request, CommandStreams streams, CancellationToken cancel);
}

/// <param name="Signal">0 when it ended by itself.</param>
/// <param name="OutOfMemory">The kernel ended it: it wanted more memory than its limit.</param>
internal readonly record struct RunEnd(int ExitCode, int Signal, string Message, bool OutOfMemory = false);

/// <summary>What runs in a container: a process, with an image's files or the host's, or a built-in workload.</summary>
internal interface IContainerKind
{
    string Substitution { get; }

    string ImageId => Substitution;

    /// <summary>What is otherwise than the container asks for.</summary>
    IReadOnlyList<ContainerRemark> Remarks => [];

    /// <exception cref="ContainerStartException">It could not be started.</exception>
    Task<IContainerRun> StartAsync(ContainerLog log, ContainerLimits limits);
}
