namespace Plumb.Lab.Containers;

public enum ContainerPhase { Waiting, Running, Terminated }

/// <summary>What `status.containerStatuses[]` is made of (core/v1): state, last state, restart count.</summary>
/// <param name="Reason">Of waiting: `ContainerCreating`, `CrashLoopBackOff`, `RunContainerError`; of terminated: see <see cref="ContainerExit.Reason"/>. Empty while running.</param>
/// <param name="Message">For a person; may be empty.</param>
/// <param name="Id">Changes with each run: `plumb://` and 16 hex digits. Empty before the first.</param>
/// <param name="StartedAt">Of the present run while running.</param>
/// <param name="Exit">Of the present run when terminated.</param>
/// <param name="LastExit">Of the run before.</param>
public sealed record ContainerStatus(
    ContainerPhase Phase, string Reason, string Message, string Id, DateTimeOffset? StartedAt, ContainerExit? Exit, ContainerExit? LastExit, int RestartCount)
{
    public static ContainerStatus Creating { get; } = new(ContainerPhase.Waiting, "ContainerCreating", "", "", null, null, null, 0);
}

/// <summary>How one run ended.</summary>
/// <param name="ExitCode">128 + signal number when a signal ended it.</param>
/// <param name="Signal">0 when it exited by itself.</param>
/// <param name="Reason">`Completed`, `Error`, or `StartError` for a command that could not be started (exit code 128).</param>
public sealed record ContainerExit(
    string Id, int ExitCode, int Signal, string Reason, string Message, DateTimeOffset StartedAt, DateTimeOffset FinishedAt);
