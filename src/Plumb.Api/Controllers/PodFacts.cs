using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers;

/// <summary>What controllers ask of one version of a pod: parsed once, kept small.</summary>
internal sealed class PodFacts
{
    public PodFacts(StoredObject stored)
    {
        Stored = stored;
        var pod = stored.As(KubernetesJson.TypeInfo<Pod>());
        OwnerUid = stored.Controller?.Uid ?? "";
        var ready = pod.Status.Conditions.Find("Ready");
        IsReady = ready?.Status == "True";
        ReadySince = ready?.LastTransitionTime;
        Addresses = Texts(pod);
        Hostname = pod.Spec.Hostname;
        Subdomain = pod.Spec.Subdomain;
        Tolerations = pod.Spec.Tolerations;
        KeepsOthersAway = pod.Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is { Count: > 0 };
        // A side car is an init container that stays: its ports are the pod's, too, behind those of the containers.
        foreach (var container in pod.Spec.Containers.Concat(pod.Spec.InitContainers.Where(static one => one.RestartPolicy == "Always")))
        {
            foreach (var port in container.Ports)
            {
                if (!string.IsNullOrEmpty(port.Name))
                    (NamedPorts ??= []).TryAdd((port.Name, port.Protocol), port.Number);
                // A pod in the node's own network holds the ports that its containers name.
                int held = port.HostPort != 0 ? port.HostPort : pod.Spec.HostNetwork ? port.Number : 0;
                if (held != 0)
                    (HostPorts ??= []).Add(new HostPort(string.IsNullOrEmpty(port.HostIP) ? "0.0.0.0" : port.HostIP, port.Protocol, held));
            }
        }
    }

    public StoredObject Stored { get; }
    public StoreKey Key => Stored.Key;
    public string NodeName => Stored.NodeName;
    public bool IsReady { get; }
    public DateTimeOffset? ReadySince { get; }
    public string OwnerUid { get; }
    public IReadOnlyList<string> Addresses { get; }
    public string? Hostname { get; }
    public string? Subdomain { get; }
    public IReadOnlyList<Toleration> Tolerations { get; }
    public Dictionary<(string Name, string Protocol), int>? NamedPorts { get; }
    public List<HostPort>? HostPorts { get; }

    /// <summary>It has a required anti-affinity, which also those have to heed who come later.</summary>
    public bool KeepsOthersAway { get; }

    /// <summary>A controller has asked for its deletion, which the store has not told of yet.</summary>
    public bool IsDoomed { get; set; }

    public bool IsOver => Stored.Phase is "Succeeded" or "Failed";

    /// <summary>Counts as a replica.</summary>
    public bool IsActive => !IsOver && !IsDoomed && !Stored.IsDeleting;

    private static List<string> Texts(Pod pod)
    {
        var addresses = new List<string>(pod.Status.PodIPs.Count);
        foreach (var address in pod.Status.PodIPs)
            addresses.Add(address.Ip);
        if (addresses.Count == 0 && !string.IsNullOrEmpty(pod.Status.PodIP))
            addresses.Add(pod.Status.PodIP);
        return addresses;
    }
}

/// <param name="Address">`0.0.0.0`: all of them.</param>
internal readonly record struct HostPort(string Address, string Protocol, int Port)
{
    public bool Collides(HostPort other) =>
        Port == other.Port && Protocol == other.Protocol && (Address == other.Address || Address == "0.0.0.0" || other.Address == "0.0.0.0");
}
