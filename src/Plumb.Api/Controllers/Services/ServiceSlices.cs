using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>The EndpointSlices of one Service.</summary>
internal sealed class ServiceSlices
{
    public const string ManagedBy = "endpointslice-controller.k8s.io";

    private readonly SlicePlacement placement = new();
    private readonly List<Slice> going = [];
    private string? saidOfHints;

    public ServiceSlices(StoredObject stored, Service record)
    {
        Stored = stored;
        Record = record;
    }

    public StoredObject Stored { get; private set; }

    public Service Record { get; private set; }

    /// <summary>`service.kubernetes.io/topology-mode: Auto`, or its name of before 1.27: hints depend on all endpoints and nodes.</summary>
    public bool IsTopologyAware =>
        (Record.Metadata.Annotations.GetValueOrDefault("service.kubernetes.io/topology-aware-hints") ?? Record.Metadata.Annotations.GetValueOrDefault("service.kubernetes.io/topology-mode"))
            is "Auto" or "auto";

    private IReadOnlyList<string> Families => Record.Spec.IpFamilies.Count > 0 ? Record.Spec.IpFamilies : ["IPv4"];

    /// <summary>Takes over the slices that an earlier controller left in the store.</summary>
    public void Adopt(ObjectStore store)
    {
        foreach (var dependent in store.Dependents(Stored.Uid))
        {
            if (dependent.Key.Resource != GroupResource.EndpointSlices || !IsOurs(dependent))
                continue;
            var found = dependent.As(KubernetesJson.TypeInfo<EndpointSlice>());
            var slice = new Slice(found.AddressType, ServicePorts.Of(found.Ports)) { Name = dependent.Name, Version = dependent.ResourceVersion, IsDirty = false };
            foreach (var endpoint in found.Endpoints)
            {
                if (endpoint is { TargetRef.Uid: { } uid, Addresses: [var address, ..] } && !slice.Endpoints.TryAdd(uid, Read(endpoint, uid, address)))
                    slice.IsDirty = true;
            }
            placement.Adopt(slice);
        }
        foreach (string family in Families)
            placement.Open(family);
    }

    /// <summary>Forgets the pods that <paramref name="isThere"/> does not know: those that went while no controller looked.</summary>
    public void RemoveOthers(Func<string, bool> isThere)
    {
        foreach (var slice in placement.Slices)
        {
            foreach (string uid in slice.Endpoints.Keys.Where(uid => !isThere(uid)).ToList())
                placement.Remove(uid, slice.Family);
        }
    }

    /// <returns>Whether the endpoints may be others now; then all pods have to be put anew.</returns>
    public bool Take(StoredObject newer, Service record)
    {
        bool same = Same(Record.Spec.Ports, record.Spec.Ports) && Same(Families, record.Spec.IpFamilies) && Same([.. Record.Spec.Selector], [.. record.Spec.Selector])
            && Record.Spec.PublishNotReadyAddresses == record.Spec.PublishNotReadyAddresses && Record.Spec.TrafficDistribution == record.Spec.TrafficDistribution;
        bool wasAware = IsTopologyAware;
        bool sameLabels = Stored.Labels.Equals(newer.Labels) && Record.Spec.IsHeadless == record.Spec.IsHeadless;
        Stored = newer;
        Record = record;
        if (same && sameLabels && wasAware == IsTopologyAware)
            return false;
        saidOfHints = null;
        placement.Clear();
        foreach (string family in Families)
            placement.Open(family);
        return true;
    }

    /// <param name="zone">Of the pod's node; empty where it has none.</param>
    /// <returns>Whether anything is to be written.</returns>
    public bool Put(PodFacts pod, string zone)
    {
        if (pod.Addresses.Count == 0 || pod.IsOver)
            return Remove(pod.Stored.Uid);
        bool changed = false;
        string? ports = null;
        foreach (string family in Families)
        {
            if (AddressOf(pod, family) is { } address)
                changed |= placement.Put(family, ports ??= ServicePorts.Of(Record, pod), EndpointOf(pod, address, zone, family));
            else
                changed |= placement.Remove(pod.Stored.Uid, family);
        }
        return changed;
    }

    public bool Remove(string podUid) => placement.Remove(podUid);

    /// <summary>Spreads the endpoints over the zones anew.</summary>
    public void Spread(ZoneShares zones, EventRecorder events)
    {
        string? fault = null;
        foreach (string family in Families)
        {
            var ready = placement.Slices.Where(slice => slice.Family == family).SelectMany(static slice => slice.Endpoints.Values).Where(static endpoint => endpoint.Ready).ToList();
            var assigned = TopologyHints.Assign(ready, zones, out string? why);
            fault ??= why is null ? null : $"no topology hints for {family}: {why}";
            foreach (var slice in placement.Slices.Where(slice => slice.Family == family).ToList())
            {
                foreach (var endpoint in slice.Endpoints.Values.ToList())
                    placement.Put(family, slice.Ports, endpoint with { ForZone = assigned.GetValueOrDefault(endpoint.PodUid, "") });
            }
        }
        if (saidOfHints == (saidOfHints = fault ?? ""))
            return;
        if (fault is null)
            events.Normal(Stored, "endpoint-slice-controller", "TopologyAwareHintsEnabled", "each endpoint is for one zone");
        else
            events.Warning(Stored, "endpoint-slice-controller", "TopologyAwareHintsDisabled", fault);
    }

    /// <summary>Somebody else deleted a slice, or wrote one.</summary>
    /// <returns>Whether it is one of these, and has to be made right.</returns>
    public bool Touched(StoredObject slice, bool isGone)
    {
        foreach (var own in placement.Slices)
        {
            if (own.Name != slice.Name || (!isGone && slice.ResourceVersion <= own.Version))
                continue;
            if (isGone)
                own.Name = null;
            return own.IsDirty = true;
        }
        return false;
    }

    /// <summary>Writes what is not in the store as it is here, each slice once; who moves is in the new slice before the old one goes.</summary>
    public void Write(ControllerContext context)
    {
        // What is refused in between is taken up again where it stopped.
        going.AddRange(placement.TakeSpare(Families));
        foreach (var slice in placement.Slices)
        {
            if (slice.IsDirty)
                Write(context, slice);
        }
        for (int i = going.Count - 1; i >= 0; i--)
        {
            if (going[i].Name is { } name)
                Delete(context, new StoreKey(GroupResource.EndpointSlices, Stored.Namespace, name));
            going.RemoveAt(i);
        }
    }

    internal static void Delete(ControllerContext context, StoreKey key)
    {
        try
        {
            context.Registry.Delete(key);
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // That is what was wanted.
        }
    }

    private void Write(ControllerContext context, Slice slice)
    {
        if (slice.Name is not null)
        {
            try
            {
                slice.Version = context.Registry.Update(new StoreKey(GroupResource.EndpointSlices, Stored.Namespace, slice.Name), root =>
                {
                    Fill(root, slice);
                    return true;
                }).ResourceVersion;
                slice.IsDirty = false;
                return;
            }
            catch (ApiException gone) when (gone.IsNotFound)
            {
                slice.Name = null;
            }
        }
        var root = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["generateName"] = Stored.Name + "-",
                ["ownerReferences"] = new JsonArray(ControllerReference.To(Stored, "v1", "Service")),
            },
            ["addressType"] = slice.Family,
        };
        Fill(root, slice);
        var written = context.Registry.Create(GroupResource.EndpointSlices, Stored.Namespace, root);
        slice.Name = written.Name;
        slice.Version = written.ResourceVersion;
        slice.IsDirty = false;
    }

    private void Fill(JsonObject root, Slice slice)
    {
        var labels = new JsonObject();
        foreach (var (key, value) in Stored.Labels)
            labels[key] = value;
        labels[EndpointSlice.ServiceNameLabel] = Stored.Name;
        labels[EndpointSlice.ManagedByLabel] = ManagedBy;
        if (Record.Spec.IsHeadless)
            labels[Service.HeadlessLabel] = "";
        Fields.Object(root, "metadata")["labels"] = labels;
        var endpoints = new JsonArray();
        foreach (var endpoint in slice.Endpoints.Values)
            endpoints.Add(ToNode(endpoint));
        root["endpoints"] = endpoints;
        root["ports"] = ServicePorts.ToNode(slice.Ports, unnamed: true);
    }

    private JsonObject ToNode(PlacedEndpoint endpoint)
    {
        var node = new JsonObject
        {
            ["addresses"] = new JsonArray(endpoint.Address),
            ["conditions"] = new JsonObject { ["ready"] = endpoint.Ready, ["serving"] = endpoint.Serving, ["terminating"] = endpoint.Terminating },
        };
        if (endpoint.Hostname.Length > 0)
            node["hostname"] = endpoint.Hostname;
        node["targetRef"] = new JsonObject { ["kind"] = "Pod", ["namespace"] = Stored.Namespace, ["name"] = endpoint.PodName, ["uid"] = endpoint.PodUid };
        if (endpoint.NodeName.Length > 0)
            node["nodeName"] = endpoint.NodeName;
        if (endpoint.Zone.Length > 0)
            node["zone"] = endpoint.Zone;
        var hints = new JsonObject();
        if (endpoint.ForZone.Length > 0)
            hints["forZones"] = new JsonArray(new JsonObject { ["name"] = endpoint.ForZone });
        if (endpoint.ForNode.Length > 0)
            hints["forNodes"] = new JsonArray(new JsonObject { ["name"] = endpoint.ForNode });
        if (hints.Count > 0)
            node["hints"] = hints;
        return node;
    }

    private PlacedEndpoint EndpointOf(PodFacts pod, string address, string zone, string family)
    {
        bool terminating = pod.Stored.IsDeleting;
        bool ready = Record.Spec.PublishNotReadyAddresses || (pod.IsReady && !terminating);
        bool prefersNear = !IsTopologyAware && ready;
        // Topology hints stay as they are until they are spread anew.
        string kept = IsTopologyAware ? placement.Find(pod.Stored.Uid, family)?.ForZone ?? "" : "";
        return new PlacedEndpoint(pod.Stored.Uid, pod.Key.Name, address)
        {
            NodeName = pod.NodeName,
            Zone = zone,
            Hostname = pod.Hostname is { Length: > 0 } hostname && pod.Subdomain == Stored.Name ? hostname : "",
            Ready = ready,
            Serving = pod.IsReady,
            Terminating = terminating,
            ForZone = prefersNear && Record.Spec.TrafficDistribution is "PreferClose" or "PreferSameZone" or "PreferSameNode" ? zone : kept,
            ForNode = prefersNear && Record.Spec.TrafficDistribution == "PreferSameNode" ? pod.NodeName : "",
        };
    }

    private static PlacedEndpoint Read(Endpoint endpoint, string uid, string address) => new(uid, endpoint.TargetRef!.Name ?? "", address)
    {
        NodeName = endpoint.NodeName ?? "",
        Zone = endpoint.Zone ?? "",
        Hostname = endpoint.Hostname ?? "",
        Ready = endpoint.Conditions.IsReady,
        Serving = endpoint.Conditions.IsServing,
        Terminating = endpoint.Conditions.IsTerminating,
        ForZone = endpoint.Hints is { ForZones: [var zone, ..] } ? zone.Name : "",
        ForNode = endpoint.Hints is { ForNodes: [var node, ..] } ? node.Name : "",
    };

    private static string? AddressOf(PodFacts pod, string family)
    {
        foreach (string address in pod.Addresses)
        {
            if (address.Contains(':', StringComparison.Ordinal) == (family == "IPv6"))
                return address;
        }
        return null;
    }

    internal static bool IsOurs(StoredObject slice) => slice.Labels.TryGetValue(EndpointSlice.ManagedByLabel, out string? by) && by == ManagedBy;

    private static bool Same<T>(IReadOnlyList<T> left, IReadOnlyList<T> right)
    {
        if (left.Count != right.Count)
            return false;
        for (int i = 0; i < left.Count; i++)
        {
            if (!EqualityComparer<T>.Default.Equals(left[i], right[i]))
                return false;
        }
        return true;
    }
}
