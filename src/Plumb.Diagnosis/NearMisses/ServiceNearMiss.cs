using System.Globalization;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;
using Plumb.Linux.Sockets;

namespace Plumb.Diagnosis.NearMisses;

/// <summary>Why a packet to a Service finds nobody, and the smallest thing that would have to be otherwise. Objects in, a sentence out.</summary>
public static class ServiceNearMiss
{
    private const int MostNamed = 3;

    /// <summary>The Service that a packet was for; null: no Service's.</summary>
    /// <param name="port">Of the Service at one of its addresses, or a node port.</param>
    public static Service? Meant(IEnumerable<Service> services, IpAddress address, ushort port)
    {
        ArgumentNullException.ThrowIfNull(services);
        Service? byNodePort = null;
        foreach (var service in services)
        {
            if (service.Spec.ClusterIPs.Append(service.Spec.ClusterIP ?? "").Concat(service.Spec.ExternalIPs).Any(own => IpAddress.TryParse(own, out var parsed) && parsed == address))
            {
                return service;
            }
            if (service.Spec.Ports.Any(one => one.NodePort == port && port != 0))
            {
                byNodePort = service;
            }
        }
        return byNodePort;
    }

    /// <summary>For a packet that no endpoint was chosen for; null: nothing is wrong with the Service.</summary>
    /// <param name="pods">Those of the Service's namespace; null: they may not be read, and <paramref name="slices"/> are judged by.</param>
    /// <param name="slices">EndpointSlices of that namespace.</param>
    public static string? OfRefusal(Service service, ushort port, string protocol, IReadOnlyList<Pod>? pods, IReadOnlyList<EndpointSlice> slices)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(slices);
        var name = $"Service {service.Metadata.Namespace}/{service.Metadata.Name}";
        if (!service.Spec.Ports.Any(one => (one.Port == port || one.NodePort == port) && one.Protocol.Equals(protocol, StringComparison.OrdinalIgnoreCase)))
        {
            return $"{name} has no {protocol.ToUpperInvariant()} port {port}; it has {Listed(service.Spec.Ports.Select(static one => $"{one.Port}/{one.Protocol}{(one.NodePort == 0 ? "" : $" (node port {one.NodePort})")}"))}";
        }
        if (service.Spec.Selector.Count == 0)
        {
            return $"{name} has no selector, and nobody has written EndpointSlices for it";
        }
        var selector = string.Join(',', service.Spec.Selector.Select(static pair => $"{pair.Key}={pair.Value}"));
        if (pods is null)
        {
            return OfEndpoints(name, selector, [.. slices.Where(slice => slice.Metadata.Labels.GetValueOrDefault(EndpointSlice.ServiceNameLabel) == service.Metadata.Name).SelectMany(static slice => slice.Endpoints)]);
        }
        var selected = pods.Where(pod => service.Spec.Selector.All(pair => pod.Metadata.Labels.GetValueOrDefault(pair.Key) == pair.Value)).ToList();
        if (selected.Count == 0)
        {
            return $"the selector {selector} of {name} matches no pod{Almost(service, pods)}";
        }
        var unready = selected.Where(static pod => !IsReady(pod)).ToList();
        return unready.Count == selected.Count
            ? $"{(selected.Count == 1 ? "the one pod" : $"none of the {selected.Count} pods")} of {name} is {(selected.Count == 1 ? "not " : "")}Ready: {Listed(unready.Select(static pod => $"{pod.Metadata.Name} ({WhyNot(pod)})"))}"
            : null;
    }

    /// <summary>For a packet that came to an endpoint where nobody listens at the port; null: it has nothing to do with the Service.</summary>
    /// <param name="endpointPort">Where nobody listens.</param>
    /// <param name="listening">Who does listen there.</param>
    public static string? OfClosedPort(Service service, ushort port, ushort endpointPort, string pod, IReadOnlyList<BoundSocket> listening)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(listening);
        if (service.Spec.Ports.FirstOrDefault(one => one.Port == port || one.NodePort == port) is not { } asked)
        {
            return null;
        }
        byte protocol = asked.Protocol == "UDP" ? Packets.Packet.Udp : Packets.Packet.Tcp;
        var open = listening.Where(socket => socket.Protocol == protocol && !socket.Address.IsLoopback).Select(static socket => socket.Port).Distinct().Order().ToList();
        var target = asked.TargetPort.Text is { } text ? $"{text} ({endpointPort})" : endpointPort.ToString(CultureInfo.InvariantCulture);
        return $"Service {service.Metadata.Namespace}/{service.Metadata.Name} sends port {asked.Port} to targetPort {target}, where {pod} does not listen; it listens at {(open.Count == 0 ? $"no {asked.Protocol} port" : Listed(open.Select(static one => one.ToString(CultureInfo.InvariantCulture))))}";
    }

    // Whether none matches or none has an address yet is not seen there.
    private static string? OfEndpoints(string name, string selector, IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Count == 0 ? $"{name} has no endpoint: its selector {selector} matches no pod, or none that has an address yet"
        : endpoints.Any(static one => one.Conditions.IsReady) ? null
        : $"{(endpoints.Count == 1 ? "the one endpoint" : $"none of the {endpoints.Count} endpoints")} of {name} is {(endpoints.Count == 1 ? "not " : "")}ready: {Listed(endpoints.Select(static one => one.TargetRef?.Name ?? string.Join(' ', one.Addresses)))}";

    private static bool IsReady(Pod pod) => pod.Status.Conditions.Any(static condition => condition is { Type: "Ready", Status: "True" });

    private static string WhyNot(Pod pod)
    {
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            return "it is being deleted";
        }
        var container = pod.Status.ContainerStatuses.FirstOrDefault(static one => !one.Ready);
        return container?.State?.Waiting?.Reason
            ?? container?.State?.Terminated?.Reason
            ?? pod.Status.Conditions.FirstOrDefault(static condition => condition is { Type: "Ready" } && !string.IsNullOrEmpty(condition.Message))?.Message
            ?? (container is null ? pod.Status.Phase ?? "no status yet" : "its readiness probe fails");
    }

    // The pod with the most labels in common, and the first that differs.
    private static string Almost(Service service, IReadOnlyList<Pod> pods)
    {
        var best = pods
            .Select(pod => (Pod: pod, Common: service.Spec.Selector.Count(pair => pod.Metadata.Labels.ContainsKey(pair.Key)), Equal: service.Spec.Selector.Count(pair => pod.Metadata.Labels.GetValueOrDefault(pair.Key) == pair.Value)))
            .Where(static candidate => candidate.Common > 0)
            .OrderByDescending(static candidate => candidate.Equal)
            .ThenByDescending(static candidate => candidate.Common)
            .ThenBy(candidate => service.Spec.Selector.Sum(pair => Distance(pair.Value, candidate.Pod.Metadata.Labels.GetValueOrDefault(pair.Key) ?? "")))
            .FirstOrDefault();
        if (best.Pod is not { } nearest)
        {
            return pods.Count == 0 ? $": there is no pod in {service.Metadata.Namespace}" : "";
        }
        var (key, value) = service.Spec.Selector.First(pair => nearest.Metadata.Labels.GetValueOrDefault(pair.Key) != pair.Value);
        if (best.Equal == 0 && Distance(value, nearest.Metadata.Labels.GetValueOrDefault(key) ?? "") > value.Length / 2)
        {
            // Another application altogether.
            return "";
        }
        return $"; {nearest.Metadata.Name} is nearest: {(nearest.Metadata.Labels.TryGetValue(key, out var has) ? $"its label {key} is {has}, not {value}" : $"it lacks the label {key}={value}")}";
    }

    private static int Distance(string one, string other)
    {
        var same = 0;
        while (same < one.Length && same < other.Length && one[same] == other[same])
        {
            same++;
        }
        return Math.Max(one.Length, other.Length) - same;
    }

    private static string Listed(IEnumerable<string> all)
    {
        var list = all.ToList();
        return list.Count == 0 ? "none" : string.Join(", ", list.Take(MostNamed)) + (list.Count > MostNamed ? $" and {list.Count - MostNamed} more" : "");
    }
}
