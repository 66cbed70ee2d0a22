using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Whatif;

/// <summary>The EndpointSlices that a controller would write in consequence of a change: of Services that changed, and of those whose pods did.</summary>
internal sealed class AssumedSlices(ChangedObjects objects)
{
    public void Write()
    {
        foreach (var (name, slice) in objects.OfKind("EndpointSlice").ToList())
        {
            if (OwnerOf(slice) is { Length: > 0 } owner && IsControllers(slice) && !objects.Has(new ObjectName("Service", name.Scope, owner)))
            {
                objects.Remove(name);
            }
        }
        foreach (var (name, json) in objects.OfKind("Service").ToList())
        {
            var service = Read<Service>(json);
            if (service is null || service.Spec.IsExternalName || service.Spec.Selector.Count == 0)
            {
                continue;
            }
            var slices = objects.OfKind("EndpointSlice").Where(one => one.Name.Scope == name.Scope && OwnerOf(one.Json) == name.Name && IsControllers(one.Json)).ToList();
            if (objects.Changed.Contains(name) || HasChangedPod(name, service, slices))
            {
                Write(name, service, slices);
            }
        }
    }

    private bool HasChangedPod(ObjectName name, Service service, IEnumerable<(ObjectName Name, JsonObject Json)> slices)
    {
        var pods = objects.Changed.Where(one => one.Kind == "Pod" && one.Scope == name.Scope).Select(static one => one.Name).ToHashSet(StringComparer.Ordinal);
        return pods.Count > 0
            && (slices.SelectMany(static slice => slice.Json["endpoints"] as JsonArray ?? []).Any(endpoint => pods.Contains(endpoint.At("targetRef", "name")?.ToString() ?? ""))
                || Selected(name, service).Any(one => pods.Contains(one.Pod.Metadata.Name)));
    }

    private void Write(ObjectName name, Service service, IReadOnlyList<(ObjectName Name, JsonObject Json)> slices)
    {
        var hints = new Dictionary<string, JsonNode>();
        foreach (var endpoint in slices.SelectMany(static slice => slice.Json["endpoints"] as JsonArray ?? []))
        {
            if (endpoint.At("targetRef", "name")?.ToString() is { } pod && endpoint?["hints"] is { } known)
            {
                hints[pod] = known;
            }
        }
        foreach (var slice in slices)
        {
            objects.Remove(slice.Name);
        }
        // Who stays in a slice of the same name keeps its origin.
        var names = new Queue<ObjectName>(slices.Select(static slice => slice.Name).OrderBy(static one => one.Name, StringComparer.Ordinal));
        var families = service.Spec.IpFamilies.Count > 0 ? service.Spec.IpFamilies : service.Spec.ClusterIP?.Contains(':', StringComparison.Ordinal) == true ? ["IPv6"] : ["IPv4"];
        foreach (var family in families)
        {
            foreach (var group in Selected(name, service).GroupBy(one => PortsOf(service, one.Pod).ToJsonString(), StringComparer.Ordinal))
            {
                var endpoints = new JsonArray();
                foreach (var (pod, isTerminating) in group)
                {
                    if (AddressOf(pod, family) is { } address)
                    {
                        endpoints.Add(EndpointOf(service, pod, address, isTerminating, hints.GetValueOrDefault(pod.Metadata.Name)));
                    }
                }
                var own = names.TryDequeue(out var kept) ? kept : new ObjectName("EndpointSlice", name.Scope, $"{name.Name}-{family.ToLowerInvariant()}-{objects.OfKind("EndpointSlice").Count()}");
                objects.Set(own, new JsonObject
                {
                    ["apiVersion"] = "discovery.k8s.io/v1",
                    ["kind"] = "EndpointSlice",
                    ["metadata"] = new JsonObject { ["name"] = own.Name, ["namespace"] = own.Scope, ["labels"] = new JsonObject { [EndpointSlice.ServiceNameLabel] = name.Name } },
                    ["addressType"] = family,
                    ["ports"] = JsonNode.Parse(group.Key),
                    ["endpoints"] = endpoints,
                });
            }
        }
    }

    private IEnumerable<(Pod Pod, bool IsTerminating)> Selected(ObjectName name, Service service)
    {
        foreach (var (_, json) in objects.OfKind("Pod").Where(one => one.Name.Scope == name.Scope))
        {
            if (Read<Pod>(json) is { } pod
                && pod.Status.Phase is not ("Succeeded" or "Failed")
                && service.Spec.Selector.All(pair => pod.Metadata.Labels.GetValueOrDefault(pair.Key) == pair.Value))
            {
                yield return (pod, json.At("metadata", "deletionTimestamp") is not null);
            }
        }
    }

    // A named port that the pod does not have is left out.
    private static JsonArray PortsOf(Service service, Pod pod)
    {
        var ports = new JsonArray();
        foreach (var port in service.Spec.Ports)
        {
            var number = port.TargetPort.Text is { } named
                ? pod.Spec.Containers.SelectMany(static container => container.Ports).FirstOrDefault(one => one.Name == named && one.Protocol == port.Protocol)?.Number ?? 0
                : port.TargetPort.Number != 0 ? port.TargetPort.Number : port.Port;
            if (number != 0)
            {
                ports.Add(new JsonObject { ["name"] = port.Name ?? "", ["protocol"] = port.Protocol, ["port"] = number });
            }
        }
        return ports;
    }

    private static JsonObject EndpointOf(Service service, Pod pod, string address, bool isTerminating, JsonNode? hints)
    {
        var isReady = pod.Status.Conditions.Any(static condition => condition is { Type: "Ready", Status: "True" });
        var endpoint = new JsonObject
        {
            ["addresses"] = new JsonArray(address),
            ["conditions"] = new JsonObject { ["ready"] = service.Spec.PublishNotReadyAddresses || (isReady && !isTerminating), ["serving"] = isReady, ["terminating"] = isTerminating },
            ["targetRef"] = new JsonObject { ["kind"] = "Pod", ["namespace"] = pod.Metadata.Namespace, ["name"] = pod.Metadata.Name },
            ["nodeName"] = pod.Spec.NodeName,
        };
        if (hints is not null)
        {
            endpoint["hints"] = hints.DeepClone();
        }
        return endpoint;
    }

    private static string? AddressOf(Pod pod, string family) =>
        pod.Status.PodIPs.Select(static one => one.Ip).Append(pod.Status.PodIP).FirstOrDefault(address => address is { Length: > 0 } && address.Contains(':', StringComparison.Ordinal) == (family == "IPv6"));

    private static string? OwnerOf(JsonObject slice) => slice.At("metadata", "labels", EndpointSlice.ServiceNameLabel)?.ToString();

    // Those that people write by hand are theirs.
    private static bool IsControllers(JsonObject slice) => slice.At("metadata", "labels", EndpointSlice.ManagedByLabel)?.ToString() == "endpointslice-controller.k8s.io";

    private static T? Read<T>(JsonObject json)
        where T : class
    {
        try
        {
            return KubernetesJson.Read<T>(json);
        }
        catch (JsonException)
        {
            // The plan says what is wrong with it.
            return null;
        }
    }
}
