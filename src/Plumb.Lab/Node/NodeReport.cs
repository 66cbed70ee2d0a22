using System.Buffers;
using System.Text.Json;
using Plumb.Kubernetes.Json;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Node;

/// <summary>What a node tells the API about itself: the Node object, its status, its lease.</summary>
/// <param name="Addresses">On the wire, one of each family, the preferred one first; as are the ranges.</param>
internal sealed record NodeReport(string Name, IReadOnlyList<IpAddress> Addresses, IReadOnlyList<IpPrefix> PodRanges)
{
    /// <summary>How many pods a node takes: as many as a /24 has addresses beside the network's, the bridge's and the broadcast's.</summary>
    public const int MaxPods = 253;

    /// <summary>Kubelet's word for a node without a CNI configuration.</summary>
    public const string NetworkNotReady =
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

    private static readonly string Kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
    private static readonly string MachineId = ReadOr("/etc/machine-id", "");
    private static readonly string BootId = ReadOr("/proc/sys/kernel/random/boot_id", "");
    private static readonly string OsImage = ReadOsImage();
    private static readonly long MemoryKiB = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 10;

    /// <summary>What each node says that pods may have: all that the machine has.</summary>
    public static long MemoryBytes => MemoryKiB << 10;

    public static int Processors => Environment.ProcessorCount;
    private static readonly string Architecture =
        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture is System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    /// <summary>The object to create.</summary>
    public ReadOnlyMemory<byte> ToNode(DateTimeOffset now) => Write(json =>
    {
        json.WriteString("apiVersion"u8, "v1"u8);
        json.WriteString("kind"u8, "Node"u8);
        json.WriteStartObject("metadata"u8);
        json.WriteString("name"u8, Name);
        json.WriteStartObject("labels"u8);
        json.WriteString("kubernetes.io/hostname"u8, Name);
        json.WriteString("kubernetes.io/os"u8, "linux"u8);
        json.WriteString("kubernetes.io/arch"u8, Architecture);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("spec"u8);
        json.WriteString("podCIDR"u8, PodRanges[0].ToString());
        json.WriteStartArray("podCIDRs"u8);
        foreach (var range in PodRanges)
        {
            json.WriteStringValue(range.ToString());
        }
        json.WriteEndArray();
        json.WriteString("providerID"u8, $"plumb://{Name}");
        json.WriteEndObject();
        WriteStatus(json, isPatch: false, notReady: "", readySince: now, born: now, now);
    });

    /// <summary>The body of a strategic merge patch of the subresource <c>status</c>.</summary>
    /// <param name="notReady">Null: the network is ready; else why it is not, where more is known than that nothing is there.</param>
    /// <param name="readySince">When the condition Ready last turned.</param>
    /// <param name="born">When the node registered.</param>
    public ReadOnlyMemory<byte> ToStatusPatch(string? notReady, DateTimeOffset readySince, DateTimeOffset born, DateTimeOffset now) =>
        Write(json => WriteStatus(json, isPatch: true, notReady, readySince, born, now));

    /// <summary>The Lease object (coordination.k8s.io/v1) that says the node lives.</summary>
    public ReadOnlyMemory<byte> ToLease(DateTimeOffset now) => Write(json =>
    {
        json.WriteString("apiVersion"u8, "coordination.k8s.io/v1"u8);
        json.WriteString("kind"u8, "Lease"u8);
        json.WriteStartObject("metadata"u8);
        json.WriteString("name"u8, Name);
        json.WriteString("namespace"u8, "kube-node-lease"u8);
        json.WriteEndObject();
        WriteLeaseSpec(json, now);
    });

    public ReadOnlyMemory<byte> ToLeaseRenewal(DateTimeOffset now) => Write(json => WriteLeaseSpec(json, now));

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> body)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        body(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private void WriteLeaseSpec(Utf8JsonWriter json, DateTimeOffset now)
    {
        json.WriteStartObject("spec"u8);
        json.WriteString("holderIdentity"u8, Name);
        json.WriteNumber("leaseDurationSeconds"u8, 40);
        json.WriteString("renewTime"u8, now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"));
        json.WriteEndObject();
    }

    private void WriteStatus(Utf8JsonWriter json, bool isPatch, string? notReady, DateTimeOffset readySince, DateTimeOffset born, DateTimeOffset now)
    {
        json.WriteStartObject("status"u8);
        json.WriteStartArray("addresses"u8);
        if (isPatch)
        {
            // The list's key is the type, by which two InternalIPs would be one: it is sent whole, as the kubelet does.
            json.WriteStartObject();
            json.WriteString("$patch"u8, "replace"u8);
            json.WriteEndObject();
        }
        foreach (var address in Addresses)
        {
            WriteAddress(json, "InternalIP"u8, address.ToString());
        }
        WriteAddress(json, "Hostname"u8, Name);
        json.WriteEndArray();
        WriteResources(json, "capacity"u8);
        WriteResources(json, "allocatable"u8);
        json.WriteStartArray("conditions"u8);
        WriteCondition(json, "MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available", born, now);
        WriteCondition(json, "DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure", born, now);
        WriteCondition(json, "PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available", born, now);
        WriteCondition(
            json,
            "Ready",
            notReady is null,
            notReady is null ? "KubeletReady" : "KubeletNotReady",
            notReady switch { null => "kubelet is posting ready status", "" => NetworkNotReady, _ => $"{NetworkNotReady}: {notReady}" },
            readySince,
            now);
        json.WriteEndArray();
        json.WriteStartObject("daemonEndpoints"u8);
        json.WriteStartObject("kubeletEndpoint"u8);
        json.WriteNumber("Port"u8, 10250);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("nodeInfo"u8);
        json.WriteString("machineID"u8, MachineId);
        json.WriteString("systemUUID"u8, MachineId);
        json.WriteString("bootID"u8, BootId);
        json.WriteString("kernelVersion"u8, Kernel);
        json.WriteString("osImage"u8, OsImage);
        json.WriteString("containerRuntimeVersion"u8, $"plumb://{Version}");
        json.WriteString("kubeletVersion"u8, KubeletVersion);
        json.WriteString("kubeProxyVersion"u8, ""u8);
        json.WriteString("operatingSystem"u8, "linux"u8);
        json.WriteString("architecture"u8, Architecture);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The Kubernetes version whose behaviour the node shows, and that Plumb plays its part.</summary>
    private static string KubeletVersion { get; } = $"v1.34.0+plumb-{Version}";

    private static string Version => typeof(NodeReport).Assembly.GetName().Version?.ToString(3) ?? "0";

    private static void WriteAddress(Utf8JsonWriter json, ReadOnlySpan<byte> type, string address)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteString("address"u8, address);
        json.WriteEndObject();
    }

    private static void WriteResources(Utf8JsonWriter json, ReadOnlySpan<byte> property)
    {
        json.WriteStartObject(property);
        json.WriteString("cpu"u8, Processors.ToString());
        json.WriteString("memory"u8, $"{MemoryKiB}Ki");
        json.WriteString("ephemeral-storage"u8, "0"u8);
        json.WriteString("pods"u8, MaxPods.ToString());
        json.WriteEndObject();
    }

    private static void WriteCondition(
        Utf8JsonWriter json, string type, bool holds, string reason, string message, DateTimeOffset since, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteString("status"u8, holds ? "True"u8 : "False"u8);
        json.WriteString("lastHeartbeatTime"u8, Rfc3339.Format(now));
        json.WriteString("lastTransitionTime"u8, Rfc3339.Format(since));
        json.WriteString("reason"u8, reason);
        json.WriteString("message"u8, message);
        json.WriteEndObject();
    }

    private static string ReadOr(string path, string otherwise) => File.Exists(path) ? File.ReadAllText(path).Trim() : otherwise;

    private static string ReadOsImage()
    {
        foreach (var line in ReadOr("/etc/os-release", "").AsSpan().EnumerateLines())
        {
            if (line.StartsWith("PRETTY_NAME="))
            {
                return line["PRETTY_NAME=".Length..].Trim('"').ToString();
            }
        }
        return "Linux";
    }
}
