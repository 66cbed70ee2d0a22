using System.Buffers;
using System.Text.Json;
using Plumb.Kubernetes.Json;

namespace Plumb.Lab.Node;

/// <summary>Something that a node tells about one of its pods (core/v1 Event), in the kubelet's words.</summary>
/// <param name="Container">That it is about; null: the pod as a whole.</param>
internal readonly record struct PodEvent(PodName Pod, bool IsWarning, string Reason, string Message, ContainerField? Container = null)
{
    public static PodEvent Pulled(PodName pod, ContainerField container, string image) =>
        new(pod, false, "Pulled", $"Container image \"{image}\" already present on machine", container);

    public static PodEvent Created(PodName pod, ContainerField container) => new(pod, false, "Created", $"Created container: {container}", container);

    public static PodEvent Started(PodName pod, ContainerField container) => new(pod, false, "Started", $"Started container {container}", container);

    public static PodEvent Killing(PodName pod, ContainerField container) => new(pod, false, "Killing", $"Stopping container {container}", container);

    /// <param name="substitution">What runs in the image's place.</param>
    public static PodEvent ImageSubstituted(PodName pod, ContainerField container, string image, string substitution) =>
        new(pod, false, "ImageSubstituted", $"Image \"{image}\" is not at hand; in its place runs {substitution}", container);

    /// <param name="remark">Who was asked for, and who it is.</param>
    public static PodEvent Remarked(PodName pod, ContainerField container, Containers.ContainerRemark remark) => new(pod, true, remark.Reason, remark.Message, container);

    public static PodEvent BackOff(PodName pod, ContainerField container) =>
        new(pod, true, "BackOff", $"Back-off restarting failed container {container} in pod {pod.Name}_{pod.Namespace}({pod.Uid})", container);

    public static PodEvent Failed(PodName pod, ContainerField container, string why) => new(pod, true, "Failed", $"Error: {why}", container);

    public static PodEvent Unhealthy(PodName pod, ContainerField container, string probe, string why) =>
        new(pod, true, "Unhealthy", $"{probe} probe failed: {why}", container);

    /// <summary>A run is about to be ended because of its probe.</summary>
    public static PodEvent KillingUnhealthy(PodName pod, ContainerField container, string probe) =>
        new(pod, false, "Killing", $"Container {container} failed {probe} probe, will be restarted", container);

    /// <summary>A run is about to be ended so that the next one has other resources.</summary>
    public static PodEvent KillingToResize(PodName pod, ContainerField container) => new(pod, false, "Killing", $"Container {container.Name} resize requires restart", container);

    /// <param name="summary">What the containers have now, as JSON.</param>
    public static PodEvent ResizeCompleted(PodName pod, string summary) => new(pod, false, "ResizeCompleted", $"Pod resize completed: {summary}");

    /// <param name="hook">`PostStart` or `PreStop`.</param>
    public static PodEvent FailedHook(PodName pod, ContainerField container, string hook, string why) =>
        new(pod, true, $"Failed{hook}Hook", $"{hook}Hook failed: {why}", container);

    public static PodEvent FailedMount(PodName pod, string volume, string why) =>
        new(pod, true, "FailedMount", $"MountVolume.SetUp failed for volume \"{volume}\" : {why}");

    public static PodEvent VolumeSubstituted(PodName pod, string volume) =>
        new(pod, true, "VolumeSubstituted", $"Volume \"{volume}\" is of a kind that this cluster does not have; in its place is an empty directory");

    /// <param name="owners">Users and groups that cannot be had.</param>
    public static PodEvent OwnerSubstituted(PodName pod, string owners) =>
        new(pod, true, "OwnerSubstituted", $"Files of the pod's volumes were to be of {owners}, whom the lab's user namespace does not have; they are the lab's own user's, whom containers see as root. Subordinate ids (package uidmap, /etc/subuid) would make them theirs");

    public static PodEvent FailedSync(PodName pod, string why) => new(pod, true, "FailedSync", $"error syncing pod, it is given up: {why}");

    public static PodEvent DeadlineExceeded(PodName pod) =>
        new(pod, false, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");

    public static PodEvent SysctlForbidden(PodName pod, string why) => new(pod, true, "SysctlForbidden", why);

    public static PodEvent UserNamespaceShared(PodName pod) =>
        new(pod, true, "UserNamespaceShared", "hostUsers: false is not held: the pod shares the lab's user namespace, which in an ordinary user's lab is not the machine's");

    public static PodEvent NetworkNotReady(PodName pod) =>
        new(pod, true, "NetworkNotReady", $"network is not ready: {NodeReport.NetworkNotReady}");

    public static PodEvent FailedCreatePodSandBox(PodName pod, string sandbox, string why) =>
        new(
            pod,
            true,
            "FailedCreatePodSandBox",
            $"Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"{sandbox}\": {why}");

    public static PodEvent FailedBandwidth(PodName pod, string why) => new(pod, true, "FailedBandwidth", $"Failed to change the pod's bandwidth, which stays as it was: {why}");

    /// <param name="what">What was left out of the pod's /etc/resolv.conf.</param>
    public static PodEvent DnsConfigForming(PodName pod, string what) => new(pod, true, "DNSConfigForming", what);

    public static PodEvent FailedKillPod(PodName pod, string sandbox, string why) =>
        new(
            pod,
            true,
            "FailedKillPod",
            $"error killing pod: failed to \"KillPodSandbox\" for \"{pod.Uid}\" with KillPodSandboxError: \"rpc error: code = Unknown desc = failed to destroy network for sandbox \\\"{sandbox}\\\": {why.Replace("\"", "\\\"", StringComparison.Ordinal)}\"");

    public ReadOnlyMemory<byte> ToJson(string name, string node, int count, DateTimeOffset first, DateTimeOffset last)
    {
        var buffer = new ArrayBufferWriter<byte>(768);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("apiVersion"u8, "v1"u8);
        json.WriteString("kind"u8, "Event"u8);
        json.WriteStartObject("metadata"u8);
        json.WriteString("name"u8, name);
        json.WriteString("namespace"u8, Pod.Namespace);
        json.WriteEndObject();
        json.WriteStartObject("involvedObject"u8);
        json.WriteString("apiVersion"u8, "v1"u8);
        json.WriteString("kind"u8, "Pod"u8);
        json.WriteString("namespace"u8, Pod.Namespace);
        json.WriteString("name"u8, Pod.Name);
        json.WriteString("uid"u8, Pod.Uid);
        if (Container is { } container)
        {
            json.WriteString("fieldPath"u8, container.Path);
        }
        json.WriteEndObject();
        json.WriteString("type"u8, IsWarning ? "Warning"u8 : "Normal"u8);
        json.WriteString("reason"u8, Reason);
        json.WriteString("message"u8, Message);
        json.WriteStartObject("source"u8);
        json.WriteString("component"u8, "kubelet"u8);
        json.WriteString("host"u8, node);
        json.WriteEndObject();
        json.WriteString("firstTimestamp"u8, Rfc3339.Format(first));
        json.WriteString("lastTimestamp"u8, Rfc3339.Format(last));
        json.WriteNumber("count"u8, count);
        json.WriteNull("eventTime"u8);
        json.WriteString("reportingComponent"u8, "kubelet"u8);
        json.WriteString("reportingInstance"u8, node);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>The body of a merge patch that says it happened again.</summary>
    public static ReadOnlyMemory<byte> ToCount(int count, DateTimeOffset last)
    {
        var buffer = new ArrayBufferWriter<byte>(96);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteNumber("count"u8, count);
        json.WriteString("lastTimestamp"u8, Rfc3339.Format(last));
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}

/// <summary>Which pod, once and for all: a successor of the same name has another uid.</summary>
internal readonly record struct PodName(string Namespace, string Name, string Uid)
{
    public override string ToString() => $"{Namespace}/{Name}";
}

/// <summary>Where in its pod's spec a container stands.</summary>
/// <param name="List">`containers`, `initContainers` or `ephemeralContainers`.</param>
internal readonly record struct ContainerField(string List, string Name)
{
    public string Path => $"spec.{List}{{{Name}}}";

    public override string ToString() => Name;
}
