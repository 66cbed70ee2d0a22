using System.Text.Json;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Resizing;
using ContainerStatus = Plumb.Lab.Containers.ContainerStatus;

namespace Plumb.Lab.Node;

/// <summary>What a node says about one container of a pod (ContainerStatus, core/v1).</summary>
/// <param name="completes">An init container: it is ready when it has succeeded.</param>
internal sealed class ContainerReport(ContainerField place, string image, bool completes)
{
    private static readonly ContainerStatus Initializing = ContainerStatus.Creating with { Reason = "PodInitializing" };

    public ContainerField Field => place;

    public string Name => place.Name;

    /// <summary>Replaced as a whole whenever the container tells of a change.</summary>
    public ContainerStatus Status { get; set; } = ContainerStatus.Creating;

    /// <summary>False while a readiness probe has not succeeded; true where there is none.</summary>
    public bool ProbeSucceeds { get; set; } = true;

    /// <summary>False while a startup probe or the hook after the start has not succeeded.</summary>
    public bool HasStarted { get; set; } = true;

    /// <summary>What the container's image was really served by.</summary>
    public string ImageId { get; set; } = "";

    /// <summary>What the node has granted the container.</summary>
    public ResourceRequirements Allocated { get; set; } = ResourceAmounts.None;

    /// <summary>What it has of it: another than that only while it is being resized.</summary>
    public ResourceRequirements Resources { get; set; } = ResourceAmounts.None;

    public bool IsReady => ProbeSucceeds && Status.Phase == ContainerPhase.Running;

    /// <summary>It runs, and its startup probe has succeeded: what a side car's successors wait for.</summary>
    public bool IsStarted => HasStarted && Status.Phase == ContainerPhase.Running;

    /// <summary>An init container that goes on beside the main ones.</summary>
    public bool IsSidecar { get; init; }

    /// <summary>An init container that is done: it has succeeded, or, a side car, has started.</summary>
    public bool IsInitialized => IsSidecar ? IsStarted || Status.LastExit is not null || Status.Exit is not null : HasSucceeded;

    public bool HasSucceeded => Status is { Phase: ContainerPhase.Terminated, Exit.ExitCode: 0 };

    public bool HasFailed => Status is { Phase: ContainerPhase.Terminated, Exit.ExitCode: not 0 };

    /// <summary>Of a container that is new.</summary>
    public static ContainerReport Of(string list, Kubernetes.Objects.Container wanted)
    {
        var isSidecar = ContainerSpecs.IsSidecar(wanted);
        var resources = wanted.Resources ?? ResourceAmounts.None;
        return new ContainerReport(new(list, wanted.Name), wanted.Image ?? "", completes: list == "initContainers" && !isSidecar) { IsSidecar = isSidecar, Allocated = resources, Resources = resources };
    }

    /// <summary>All containers of a pod that has init containers wait for those before them.</summary>
    public void WaitForInitialization() => Status = Initializing;

    /// <summary>A run begins: its probes have not said anything yet.</summary>
    public void BeginRun(Kubernetes.Objects.Container wanted)
    {
        HasStarted = wanted.StartupProbe is null && wanted.Lifecycle?.PostStart is null;
        ProbeSucceeds = wanted.ReadinessProbe is null && HasStarted;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, Name);
        json.WriteString("image"u8, image);
        json.WriteString("imageID"u8, ImageId);
        if (Status.Id.Length > 0)
        {
            json.WriteString("containerID"u8, Status.Id);
            if (Allocated.Requests.Count > 0)
            {
                json.WritePropertyName("allocatedResources"u8);
                ResourceAmounts.Write(json, Allocated.Requests);
            }
            json.WritePropertyName("resources"u8);
            ResourceAmounts.Write(json, Resources);
        }
        json.WriteBoolean("ready"u8, completes ? HasSucceeded : IsReady);
        json.WriteBoolean("started"u8, IsStarted);
        json.WriteNumber("restartCount"u8, Status.RestartCount);
        json.WriteStartObject("state"u8);
        WriteState(json);
        json.WriteEndObject();
        json.WriteStartObject("lastState"u8);
        if (Status.LastExit is { } last)
        {
            WriteExit(json, last);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteState(Utf8JsonWriter json)
    {
        if (Status is { Phase: ContainerPhase.Terminated, Exit: { } exit })
        {
            WriteExit(json, exit);
            return;
        }
        if (Status is { Phase: ContainerPhase.Running, StartedAt: { } since })
        {
            json.WriteStartObject("running"u8);
            json.WriteString("startedAt"u8, Rfc3339.Format(since));
        }
        else
        {
            json.WriteStartObject("waiting"u8);
            json.WriteString("reason"u8, Status.Reason);
            WriteMessage(json, Status.Message);
        }
        json.WriteEndObject();
    }

    private static void WriteExit(Utf8JsonWriter json, ContainerExit exit)
    {
        json.WriteStartObject("terminated"u8);
        json.WriteNumber("exitCode"u8, exit.ExitCode);
        if (exit.Signal != 0)
        {
            json.WriteNumber("signal"u8, exit.Signal);
        }
        json.WriteString("reason"u8, exit.Reason);
        WriteMessage(json, exit.Message);
        json.WriteString("startedAt"u8, Rfc3339.Format(exit.StartedAt));
        json.WriteString("finishedAt"u8, Rfc3339.Format(exit.FinishedAt));
        json.WriteString("containerID"u8, exit.Id);
        json.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter json, string message)
    {
        if (message.Length > 0)
        {
            json.WriteString("message"u8, message);
        }
    }
}
