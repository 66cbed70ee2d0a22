using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>Shows Endpoints that a person made, for a Service without selector, as EndpointSlices: nodes read nothing else (KEP-752).</summary>
internal sealed class EndpointMirroringController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    public const string ManagedBy = "endpointslicemirroring-controller.k8s.io";

    /// <summary>As with a real controller's `--mirroring-max-endpoints-per-subset`.</summary>
    private const int MostOfSubset = 1_000;

    private const string SkipLabel = "endpointslice.kubernetes.io/skip-mirror";
    private const string LeaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    private const string TriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";

    public override void Observe(in ObservedChange change)
    {
        var key = change.Latest.Key;
        if (key.Resource == GroupResource.Endpoints)
            Queue.Add(key);
        else if (key.Resource == GroupResource.Services)
            Queue.Add(key with { Resource = GroupResource.Endpoints });
        else if (key.Resource == GroupResource.EndpointSlices && IsMirror(change.Latest) && change.Latest.Labels.TryGetValue(EndpointSlice.ServiceNameLabel, out string? name))
            Queue.Add(new StoreKey(GroupResource.Endpoints, key.Namespace, name));
    }

    protected override void Reconcile(StoreKey key)
    {
        // Those of Endpoints that are gone go with them.
        if (Context.Store.Find(key) is not { } stored)
            return;
        var present = Context.Store.Dependents(stored.Uid).Where(static slice => slice.Key.Resource == GroupResource.EndpointSlices && IsMirror(slice)).ToList();
        var wanted = IsMirrored(stored) ? Slices(stored) : [];

        // Each goes where it was: the same family and ports, in order.
        foreach (var slice in wanted)
        {
            int at = present.FindIndex(other => Kind(other.ToNode()) == Kind(slice));
            if (at < 0)
            {
                Registry.Create(GroupResource.EndpointSlices, key.Namespace, slice);
                continue;
            }
            Registry.Update(present[at].Key, root =>
            {
                var metadata = Fields.Object(root, "metadata");
                foreach (string member in (ReadOnlySpan<string>)["labels", "annotations"])
                {
                    metadata.Remove(member);
                    if (Fields.Find(slice, "metadata")?[member] is { } value)
                        metadata[member] = value.DeepClone();
                }
                root["endpoints"] = slice["endpoints"]!.DeepClone();
                root["ports"] = slice["ports"]!.DeepClone();
                return true;
            });
            present.RemoveAt(at);
        }
        foreach (var spare in present)
            ServiceSlices.Delete(Context, spare.Key);
    }

    private bool IsMirrored(StoredObject endpoints) =>
        !(endpoints.Labels.TryGetValue(SkipLabel, out string? skip) && skip == "true")
        && Context.Store.Find(endpoints.Key with { Resource = GroupResource.Services }) is { IsDeleting: false } service
        && service.As(KubernetesJson.TypeInfo<Service>()).Spec is { Selector.Count: 0, IsExternalName: false };

    private List<JsonObject> Slices(StoredObject stored)
    {
        var record = stored.As(KubernetesJson.TypeInfo<Endpoints>());
        var slices = new List<JsonObject>();
        if (record.Metadata.Annotations.ContainsKey(LeaderAnnotation))
            return slices;
        foreach (var subset in record.Subsets)
        {
            foreach (string family in (ReadOnlySpan<string>)["IPv4", "IPv6"])
            {
                var endpoints = subset.Addresses.Select(address => (Address: address, Ready: true)).Concat(subset.NotReadyAddresses.Select(address => (Address: address, Ready: false)))
                    .Where(entry => entry.Address.Ip.Contains(':', StringComparison.Ordinal) == (family == "IPv6")).ToList();
                if (endpoints.Count > MostOfSubset)
                    Context.Events.Warning(stored, "endpoint-slice-mirroring-controller", "TooManyAddresses", $"{endpoints.Count} {family} addresses in one subset: only the first {MostOfSubset} are mirrored to EndpointSlices");
                foreach (var chunk in endpoints.Take(MostOfSubset).Chunk(SlicePlacement.MostInSlice))
                    slices.Add(SliceOf(stored, record, family, ServicePorts.Of(subset.Ports), chunk.Select(entry => EndpointOf(entry.Address, entry.Ready))));
            }
        }
        return slices;
    }

    private static JsonObject SliceOf(StoredObject stored, Endpoints record, string family, string ports, IEnumerable<JsonNode> endpoints)
    {
        var labels = new JsonObject();
        foreach (var (name, value) in stored.Labels)
            labels[name] = value;
        labels[EndpointSlice.ServiceNameLabel] = stored.Name;
        labels[EndpointSlice.ManagedByLabel] = ManagedBy;
        var metadata = new JsonObject
        {
            ["generateName"] = stored.Name + "-",
            ["labels"] = labels,
            ["ownerReferences"] = new JsonArray(ControllerReference.To(stored, "v1", "Endpoints")),
        };
        foreach (var (name, value) in record.Metadata.Annotations)
        {
            if (name is not (LastApplied or TriggerTime))
                Fields.Object(metadata, "annotations")[name] = value;
        }
        return new JsonObject
        {
            ["metadata"] = metadata, ["addressType"] = family, ["endpoints"] = new JsonArray([.. endpoints]), ["ports"] = ServicePorts.ToNode(ports, unnamed: true),
        };
    }

    private static JsonObject EndpointOf(EndpointAddress address, bool ready)
    {
        var endpoint = new JsonObject { ["addresses"] = new JsonArray(address.Ip), ["conditions"] = new JsonObject { ["ready"] = ready } };
        if (!string.IsNullOrEmpty(address.Hostname))
            endpoint["hostname"] = address.Hostname;
        if (address.TargetRef is { } target)
            endpoint["targetRef"] = KubernetesJson.WriteNode(target);
        if (!string.IsNullOrEmpty(address.NodeName))
            endpoint["nodeName"] = address.NodeName;
        return endpoint;
    }

    private static string Kind(JsonObject slice)
    {
        var record = KubernetesJson.Read<EndpointSlice>(slice);
        return $"{record.AddressType} {ServicePorts.Of(record.Ports)}";
    }

    private static bool IsMirror(StoredObject slice) => slice.Labels.TryGetValue(EndpointSlice.ManagedByLabel, out string? by) && by == ManagedBy;
}
