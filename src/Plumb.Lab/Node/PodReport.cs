using System.Buffers;
using System.Text.Json;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Node;

/// <summary>What a node says about one of its pods (PodStatus, core/v1), and when each condition last turned.</summary>
internal sealed class PodReport
{
    private static readonly string[] ConditionTypes = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"];

    private readonly (bool Holds, DateTimeOffset Since)[] _conditions = new (bool, DateTimeOffset)[ConditionTypes.Length];

    public required string Uid { get; init; }

    public required IpAddress HostAddress { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required bool RestartsAlways { get; init; }

    public required bool RestartsOnFailure { get; init; }

    public IpAddress? PodAddress { get; set; }

    public bool SandboxReady { get; set; }

    public required ContainerReport[] InitContainers { get; init; }

    public required ContainerReport[] Containers { get; init; }

    /// <summary>Why the pod failed as a whole, e.g. <c>Evicted</c>; null as a rule.</summary>
    public string? Reason { get; set; }

    public string? Message { get; set; }

    /// <summary>The pod is being deleted: it is not Ready any more, whatever its containers do.</summary>
    public bool Terminating { get; set; }

    public string Phase
    {
        get
        {
            var running = 0;
            var succeeded = 0;
            var failed = 0;
            foreach (var container in Containers)
            {
                switch (container)
                {
                    case { Phase: ContainerPhase.Running }:
                        running++;
                        break;
                    case { Phase: ContainerPhase.Terminated, ExitCode: 0 }:
                        succeeded++;
                        break;
                    case { Phase: ContainerPhase.Terminated }:
                        failed++;
                        break;
                    case { Phase: ContainerPhase.Waiting, Last: not null }:
                        // Between two runs of a container that is started again.
                        running++;
                        break;
                }
            }
            if (InitFailed)
            {
                return "Failed";
            }
            if (running + succeeded + failed < Containers.Length)
            {
                return "Pending";
            }
            if (running > 0 || RestartsAlways)
            {
                return "Running";
            }
            return failed == 0 ? "Succeeded" : RestartsOnFailure ? "Running" : "Failed";
        }
    }

    private bool InitFailed =>
        !RestartsAlways && !RestartsOnFailure
        && Array.Exists(InitContainers, static container => container is { Phase: ContainerPhase.Terminated, ExitCode: not 0 });

    private bool Initialized =>
        Array.TrueForAll(InitContainers, static container => container is { Phase: ContainerPhase.Terminated, ExitCode: 0 });

    /// <summary>Whether the pod takes traffic: the condition Ready.</summary>
    public bool Ready => !Terminating && Phase == "Running" && Array.TrueForAll(Containers, static container => container.Ready);

    /// <summary>The body of a strategic merge patch of the subresource <c>status</c>; it names the uid, so that a successor of the same name is not touched.</summary>
    public ReadOnlyMemory<byte> ToPatch(DateTimeOffset now)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("metadata"u8);
        json.WriteString("uid"u8, Uid);
        json.WriteEndObject();
        json.WriteStartObject("status"u8);
        json.WriteString("phase"u8, Phase);
        WriteConditions(json, now);
        json.WriteString("hostIP"u8, HostAddress.ToString());
        json.WriteStartArray("hostIPs"u8);
        WriteAddress(json, HostAddress);
        json.WriteEndArray();
        if (PodAddress is { } address)
        {
            json.WriteString("podIP"u8, address.ToString());
            json.WriteStartArray("podIPs"u8);
            WriteAddress(json, address);
            json.WriteEndArray();
        }
        json.WriteString("startTime"u8, StartTime.ToRfc3339());
        if (Reason is not null)
        {
            json.WriteString("reason"u8, Reason);
        }
        if (Message is not null)
        {
            json.WriteString("message"u8, Message);
        }
        if (InitContainers.Length > 0)
        {
            WriteContainers(json, "initContainerStatuses"u8, InitContainers);
        }
        WriteContainers(json, "containerStatuses"u8, Containers);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteAddress(Utf8JsonWriter json, IpAddress address)
    {
        json.WriteStartObject();
        json.WriteString("ip"u8, address.ToString());
        json.WriteEndObject();
    }

    private static void WriteContainers(Utf8JsonWriter json, ReadOnlySpan<byte> property, ContainerReport[] containers)
    {
        json.WriteStartArray(property);
        foreach (var container in containers)
        {
            container.Write(json);
        }
        json.WriteEndArray();
    }

    private void WriteConditions(Utf8JsonWriter json, DateTimeOffset now)
    {
        var completed = Phase == "Succeeded";
        ReadOnlySpan<bool> holds = [SandboxReady && PodAddress is not null, Initialized, Ready, Ready];
        json.WriteStartArray("conditions"u8);
        for (var i = 0; i < ConditionTypes.Length; i++)
        {
            if (_conditions[i].Since == default || _conditions[i].Holds != holds[i])
            {
                _conditions[i] = (holds[i], now);
            }
            json.WriteStartObject();
            json.WriteString("type"u8, ConditionTypes[i]);
            json.WriteString("status"u8, holds[i] ? "True"u8 : "False"u8);
            json.WriteNull("lastProbeTime"u8);
            json.WriteString("lastTransitionTime"u8, _conditions[i].Since.ToRfc3339());
            if (!holds[i])
            {
                WriteReason(json, i, completed);
            }
            else
            {
                // A merge keeps what it is not told to remove.
                json.WriteNull("reason"u8);
                json.WriteNull("message"u8);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteReason(Utf8JsonWriter json, int condition, bool completed)
    {
        switch (ConditionTypes[condition])
        {
            case "Initialized":
                json.WriteString("reason"u8, "ContainersNotInitialized");
                json.WriteString("message"u8, $"containers with incomplete status: [{Names(InitContainers, static c => c is not { Phase: ContainerPhase.Terminated, ExitCode: 0 })}]");
                break;
            case "Ready" or "ContainersReady" when completed:
                json.WriteString("reason"u8, "PodCompleted");
                break;
            case "Ready" or "ContainersReady":
                json.WriteString("reason"u8, "ContainersNotReady");
                json.WriteString("message"u8, $"containers with unready status: [{Names(Containers, static c => !c.Ready)}]");
                break;
        }
    }

    private static string Names(ContainerReport[] containers, Predicate<ContainerReport> chosen) =>
        string.Join(' ', Array.FindAll(containers, chosen).Select(static container => container.Name));
}
