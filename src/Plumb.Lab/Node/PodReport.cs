using System.Buffers;
using System.Text.Json;
using Plumb.Kubernetes.Json;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Resizing;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Node;

/// <summary>What a node says about one of its pods (PodStatus, core/v1), and when each condition last turned. Used by one caller at a time.</summary>
internal sealed class PodReport
{
    private const int ReadyToStart = 0;
    private const int Initialized = 1;
    private const int Ready = 2;
    private const int ContainersReady = 3;

    private static readonly string[] ConditionTypes = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"];

    private readonly (bool Holds, DateTimeOffset Since)[] _conditions = new (bool, DateTimeOffset)[ConditionTypes.Length];

    public required string Uid { get; init; }

    /// <summary>`metadata.generation` of the pod that this is about.</summary>
    public long ObservedGeneration { get; set; }

    public ResizeReport Resize { get; } = new();

    public required IReadOnlyList<IpAddress> HostAddresses { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required RestartPolicy RestartPolicy { get; init; }

    /// <summary>The main one first; empty until the sandbox has its network.</summary>
    public IReadOnlyList<IpAddress> PodAddresses { get; set; } = [];

    public required IReadOnlyList<ContainerReport> InitContainers { get; init; }

    public required IReadOnlyList<ContainerReport> Containers { get; init; }

    /// <summary>The pod is being deleted: containers that end are not started again.</summary>
    public bool Terminating { get; set; }

    /// <summary>All that the pod had is gone: what its containers were is over.</summary>
    public bool SandboxGone { get; set; }

    /// <summary>Conditions that others must have set for the pod to be Ready (`readinessGates`), as the object has them now; null: nobody has set it.</summary>
    public IReadOnlyList<(string Type, string? Status)> ReadinessGates { get; set; } = [];

    /// <summary>Why the node has ended the pod: it has failed, whatever its containers say.</summary>
    public (string Reason, string Message)? Failure { get; set; }

    /// <summary>The node has not taken the pod: of its containers there is nothing to say.</summary>
    public bool IsRejected { get; set; }

    /// <summary>Debugging containers, which nothing waits for.</summary>
    public List<ContainerReport> EphemeralContainers { get; } = [];

    public ContainerReport? Find(string container) =>
        Containers.Concat(InitContainers).Concat(EphemeralContainers).FirstOrDefault(one => one.Name == container);

    /// <summary>The pod's phase, by the rules of the kubelet (getPhase).</summary>
    public string Phase
    {
        get
        {
            if (Failure is not null)
            {
                return "Failed";
            }
            if (RestartPolicy == RestartPolicy.Never && InitContainers.Any(static container => container.HasFailed && !container.IsSidecar))
            {
                return "Failed";
            }
            var (waiting, running, succeeded, failed) = (0, 0, 0, 0);
            foreach (var container in Containers)
            {
                switch (container.Status)
                {
                    case { Phase: ContainerPhase.Running }:
                        running++;
                        break;
                    case { Phase: ContainerPhase.Terminated, Exit.ExitCode: 0 }:
                        succeeded++;
                        break;
                    case { Phase: ContainerPhase.Terminated }:
                        failed++;
                        break;
                    case { LastExit: not null }:
                        // Between two runs.
                        running++;
                        break;
                    default:
                        waiting++;
                        break;
                }
            }
            if (waiting > 0 || !IsInitialized)
            {
                return "Pending";
            }
            // Side cars are asked to end when the last main container has.
            if (running > 0 || (RestartPolicy == RestartPolicy.Always && !Terminating) || (!Terminating && InitContainers.Any(static one => one.IsSidecar && one.Status.Phase == ContainerPhase.Running)))
            {
                return "Running";
            }
            if (failed == 0)
            {
                return "Succeeded";
            }
            return RestartPolicy == RestartPolicy.OnFailure && !Terminating ? "Running" : "Failed";
        }
    }

    /// <summary>The condition Ready. A pod that is being deleted keeps it while its containers serve: its endpoints are `serving` and `terminating` then (KEP-1672).</summary>
    public bool IsReady => AreContainersReady && ReadinessGates.All(static gate => gate.Status == "True");

    private bool AreContainersReady => Phase == "Running" && Serving.All(static container => container.IsReady);

    /// <summary>The containers that a pod's readiness is made of.</summary>
    private IEnumerable<ContainerReport> Serving => Containers.Concat(InitContainers.Where(static container => container.IsSidecar));

    private bool IsInitialized => InitContainers.All(static container => container.IsInitialized);

    /// <summary>
    /// The body of a strategic merge patch of the subresource <c>status</c>. It names the uid, so that a successor of the same name is
    /// not touched.
    /// </summary>
    public ReadOnlyMemory<byte> ToPatch(DateTimeOffset now)
    {
        var buffer = new ArrayBufferWriter<byte>(1536);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("metadata"u8);
        json.WriteString("uid"u8, Uid);
        json.WriteEndObject();
        json.WriteStartObject("status"u8);
        if (ObservedGeneration > 0)
        {
            json.WriteNumber("observedGeneration"u8, ObservedGeneration);
        }
        json.WriteString("phase"u8, Phase);
        if (Failure is { } failure)
        {
            json.WriteString("reason"u8, failure.Reason);
            json.WriteString("message"u8, failure.Message);
        }
        WriteConditions(json, now);
        WriteAddresses(json, "hostIP"u8, "hostIPs"u8, HostAddresses);
        if (PodAddresses.Count > 0)
        {
            WriteAddresses(json, "podIP"u8, "podIPs"u8, PodAddresses);
        }
        json.WriteString("startTime"u8, Rfc3339.Format(StartTime));
        if (InitContainers.Count > 0 && !IsRejected)
        {
            WriteContainers(json, "initContainerStatuses"u8, InitContainers);
        }
        if (!IsRejected)
        {
            WriteContainers(json, "containerStatuses"u8, Containers);
        }
        if (EphemeralContainers.Count > 0 && !IsRejected)
        {
            WriteContainers(json, "ephemeralContainerStatuses"u8, EphemeralContainers);
        }
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteAddresses(Utf8JsonWriter json, ReadOnlySpan<byte> one, ReadOnlySpan<byte> all, IReadOnlyList<IpAddress> addresses)
    {
        json.WriteString(one, addresses[0].ToString());
        json.WriteStartArray(all);
        foreach (var address in addresses)
        {
            json.WriteStartObject();
            json.WriteString("ip"u8, address.ToString());
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteContainers(Utf8JsonWriter json, ReadOnlySpan<byte> property, IReadOnlyList<ContainerReport> containers)
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
        ReadOnlySpan<bool> holds = [PodAddresses.Count > 0 && !SandboxGone, IsInitialized, IsReady, AreContainersReady];
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
            json.WriteString("lastTransitionTime"u8, Rfc3339.Format(_conditions[i].Since));
            var (reason, message) = !holds[i] ? WhyNot(i) : i == Initialized && Phase == "Succeeded" ? ("PodCompleted", null) : (null, null);
            // A merge keeps what it is not told to remove: null removes.
            json.WriteString("reason"u8, reason);
            json.WriteString("message"u8, message);
            json.WriteEndObject();
        }
        Resize.Write(json);
        json.WriteEndArray();
    }

    private (string? Reason, string? Message) WhyNot(int condition) => condition switch
    {
        Initialized => ("ContainersNotInitialized", $"containers with incomplete status: [{Names(InitContainers, static one => !one.IsInitialized)}]"),
        Ready or ContainersReady when Phase == "Succeeded" => ("PodCompleted", null),
        Ready or ContainersReady when Phase == "Failed" => ("PodFailed", null),
        Ready when AreContainersReady => ("ReadinessGatesNotReady", string.Join(", ", ReadinessGates.Where(static gate => gate.Status != "True").Select(static gate => gate.Status is null
            ? $"corresponding condition of pod readiness gate \"{gate.Type}\" does not exist."
            : $"the status of pod readiness gate \"{gate.Type}\" is not \"True\", but {gate.Status}"))),
        Ready or ContainersReady => ("ContainersNotReady", $"containers with unready status: [{Names(Serving, static one => !one.IsReady)}]"),
        _ => (null, null),
    };

    private static string Names(IEnumerable<ContainerReport> containers, Func<ContainerReport, bool> chosen) =>
        string.Join(' ', containers.Where(chosen).Select(static container => container.Name));
}
