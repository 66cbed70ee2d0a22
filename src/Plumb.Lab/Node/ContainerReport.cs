using System.Text.Json;

namespace Plumb.Lab.Node;

/// <summary>What a node says about one container in its pod's status (ContainerStatus, core/v1). Immutable: a change is a new one.</summary>
internal sealed record ContainerReport(string Name, string Image)
{
    public ContainerPhase Phase { get; init; } = ContainerPhase.Waiting;

    /// <summary>Of the present phase: <c>ContainerCreating</c>, <c>Completed</c>, <c>Error</c>, <c>CrashLoopBackOff</c> …</summary>
    public string Reason { get; init; } = "ContainerCreating";

    public string? Message { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset FinishedAt { get; init; }

    public int ExitCode { get; init; }

    public int RestartCount { get; init; }

    public bool Ready { get; init; }

    /// <summary>`plumb://` and 64 hexadecimal digits; null before the first start.</summary>
    public string? Id { get; init; }

    public string ImageId { get; init; } = "";

    /// <summary>How the instance before this one ended.</summary>
    public ContainerReport? Last { get; init; }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, Name);
        json.WriteString("image"u8, Image);
        json.WriteString("imageID"u8, ImageId);
        if (Id is not null)
        {
            json.WriteString("containerID"u8, Id);
        }
        json.WriteBoolean("ready"u8, Ready);
        json.WriteBoolean("started"u8, Phase == ContainerPhase.Running);
        json.WriteNumber("restartCount"u8, RestartCount);
        WriteState(json, "state"u8);
        if (Last is null)
        {
            json.WriteStartObject("lastState"u8);
            json.WriteEndObject();
        }
        else
        {
            Last.WriteState(json, "lastState"u8);
        }
        json.WriteEndObject();
    }

    private void WriteState(Utf8JsonWriter json, ReadOnlySpan<byte> property)
    {
        json.WriteStartObject(property);
        switch (Phase)
        {
            case ContainerPhase.Waiting:
                json.WriteStartObject("waiting"u8);
                json.WriteString("reason"u8, Reason);
                break;
            case ContainerPhase.Running:
                json.WriteStartObject("running"u8);
                json.WriteString("startedAt"u8, StartedAt.ToRfc3339());
                break;
            case ContainerPhase.Terminated:
                json.WriteStartObject("terminated"u8);
                json.WriteNumber("exitCode"u8, ExitCode);
                json.WriteString("reason"u8, Reason);
                json.WriteString("startedAt"u8, StartedAt.ToRfc3339());
                json.WriteString("finishedAt"u8, FinishedAt.ToRfc3339());
                if (Id is not null)
                {
                    json.WriteString("containerID"u8, Id);
                }
                break;
        }
        if (Message is not null && Phase != ContainerPhase.Running)
        {
            json.WriteString("message"u8, Message);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

internal enum ContainerPhase
{
    Waiting = 1,
    Running,
    Terminated,
}

internal static class Rfc3339
{
    /// <summary>As metav1.Time is written: UTC, whole seconds.</summary>
    public static string ToRfc3339(this DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
