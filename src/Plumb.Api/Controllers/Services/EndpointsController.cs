using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>
/// Writes the older Endpoints of each Service that has a selector, from its EndpointSlices: one object with at most a thousand addresses. What has many is written
/// at most twice a second.
/// </summary>
internal sealed class EndpointsController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private const int Most = 1_000;
    private const int Few = 100;
    private const string OverCapacity = "endpoints.kubernetes.io/over-capacity";
    private const string ManagedByLabel = "endpoints.kubernetes.io/managed-by";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<StoreKey, (int Count, DateTimeOffset At)> written = [];

    public override void Observe(in ObservedChange change)
    {
        var key = change.Latest.Key;
        if (key.Resource == GroupResource.Services)
            Queue.Add(key);
        else if (key.Resource == GroupResource.EndpointSlices && ServiceSlices.IsOurs(change.Latest) && change.Latest.Labels.TryGetValue(EndpointSlice.ServiceNameLabel, out string? name))
            Queue.Add(new StoreKey(GroupResource.Services, key.Namespace, name));
        else if (key.Resource == GroupResource.Endpoints && change.Latest.Labels.ContainsKey(ManagedByLabel))
            Queue.Add(key with { Resource = GroupResource.Services });
    }

    protected override void Reconcile(StoreKey key)
    {
        var endpoints = key with { Resource = GroupResource.Endpoints };
        if (Context.Store.Find(key) is not { IsDeleting: false } stored)
        {
            written.Remove(key);
            ServiceSlices.Delete(Context, endpoints);
            return;
        }
        var service = stored.As(KubernetesJson.TypeInfo<Service>());
        if (service.Spec.Selector.Count == 0 || service.Spec.IsExternalName)
            return;
        var now = Context.Time.GetUtcNow();
        if (written.TryGetValue(key, out var last) && last.Count > Few && now - last.At < Interval)
        {
            Queue.AddAfter(key, Interval - (now - last.At));
            return;
        }
        var subsets = Subsets(stored, service);
        int count = subsets.Sum(static subset => subset.Ready.Count + subset.NotReady.Count);
        Write(endpoints, stored, service, subsets, isTruncated: Truncate(subsets, count));
        written[key] = (count, now);
    }

    /// <summary>The addresses of the Service's first family, by the ports that they have in common.</summary>
    private List<Subset> Subsets(StoredObject stored, Service service)
    {
        string family = service.Spec.IpFamilies.Count > 0 ? service.Spec.IpFamilies[0] : "IPv4";
        var subsets = new SortedDictionary<string, Subset>(StringComparer.Ordinal);
        foreach (var dependent in Context.Store.Dependents(stored.Uid))
        {
            if (dependent.Key.Resource != GroupResource.EndpointSlices || !ServiceSlices.IsOurs(dependent))
                continue;
            var slice = dependent.As(KubernetesJson.TypeInfo<EndpointSlice>());
            if (slice.AddressType != family)
                continue;
            string ports = ServicePorts.Of(slice.Ports);
            foreach (var endpoint in slice.Endpoints)
            {
                // The older form knows no terminating endpoints.
                if (endpoint.Conditions.IsTerminating && !service.Spec.PublishNotReadyAddresses)
                    continue;
                if (!subsets.TryGetValue(ports, out var subset))
                    subsets[ports] = subset = new Subset(ports);
                (endpoint.Conditions.IsReady ? subset.Ready : subset.NotReady).Add(endpoint);
            }
        }
        foreach (var subset in subsets.Values)
        {
            subset.Ready.Sort(ByAddress);
            subset.NotReady.Sort(ByAddress);
        }
        return [.. subsets.Values];
    }

    /// <summary>Cuts to the thousand, those that are ready first, each subset by its share.</summary>
    private static bool Truncate(List<Subset> subsets, int count)
    {
        if (count <= Most)
            return false;
        int ready = subsets.Sum(static subset => subset.Ready.Count);
        int roomForReady = Math.Min(ready, Most);
        int notReady = count - ready;
        int roomForOthers = Most - roomForReady;
        int usedReady = 0, usedOthers = 0;
        foreach (var subset in subsets)
        {
            Cut(subset.Ready, ready, roomForReady, ref usedReady);
            Cut(subset.NotReady, notReady, roomForOthers, ref usedOthers);
        }
        subsets.RemoveAll(static subset => subset.Ready.Count + subset.NotReady.Count == 0);
        return true;
    }

    private static void Cut(List<Endpoint> endpoints, int total, int room, ref int used)
    {
        int share = total == 0 ? 0 : (int)Math.Min(((long)endpoints.Count * room + total - 1) / total, room - used);
        endpoints.RemoveRange(share, endpoints.Count - share);
        used += share;
    }

    private void Write(StoreKey key, StoredObject stored, Service service, List<Subset> subsets, bool isTruncated)
    {
        if (Context.Store.Find(key) is null)
        {
            var made = new JsonObject { ["metadata"] = new JsonObject { ["name"] = key.Name } };
            Fill(made, stored, service, subsets, isTruncated);
            Registry.Create(GroupResource.Endpoints, key.Namespace, made);
            return;
        }
        Registry.Update(key, root =>
        {
            Fill(root, stored, service, subsets, isTruncated);
            return true;
        });
    }

    private static void Fill(JsonObject root, StoredObject stored, Service service, List<Subset> subsets, bool isTruncated)
    {
        var metadata = Fields.Object(root, "metadata");
        var labels = new JsonObject { [ManagedByLabel] = "endpoint-controller" };
        foreach (var (name, value) in stored.Labels)
            labels[name] = value;
        if (service.Spec.IsHeadless)
            labels[Service.HeadlessLabel] = "";
        metadata["labels"] = labels;
        var annotations = Fields.Object(metadata, "annotations");
        annotations.Remove(OverCapacity);
        if (isTruncated)
            annotations[OverCapacity] = "truncated";
        if (annotations.Count == 0)
            metadata.Remove("annotations");
        root.Remove("subsets");
        if (subsets.Count > 0)
            root["subsets"] = new JsonArray([.. subsets.Select(subset => (JsonNode)subset.ToNode())]);
    }

    private static int ByAddress(Endpoint left, Endpoint right) => Bytes(left).AsSpan().SequenceCompareTo(Bytes(right));

    private static byte[] Bytes(Endpoint endpoint) => IPAddress.Parse(endpoint.Addresses[0]).GetAddressBytes();

    private sealed class Subset(string ports)
    {
        public List<Endpoint> Ready { get; } = [];
        public List<Endpoint> NotReady { get; } = [];

        public JsonObject ToNode()
        {
            var subset = new JsonObject();
            if (Ready.Count > 0)
                subset["addresses"] = ToNode(Ready);
            if (NotReady.Count > 0)
                subset["notReadyAddresses"] = ToNode(NotReady);
            if (ports.Length > 0)
                subset["ports"] = ServicePorts.ToNode(ports, unnamed: false);
            return subset;
        }

        private static JsonArray ToNode(List<Endpoint> endpoints)
        {
            var list = new JsonArray();
            foreach (var endpoint in endpoints)
            {
                var item = new JsonObject { ["ip"] = endpoint.Addresses[0] };
                if (endpoint.Hostname is not null)
                    item["hostname"] = endpoint.Hostname;
                if (endpoint.NodeName is not null)
                    item["nodeName"] = endpoint.NodeName;
                if (endpoint.TargetRef is { } target)
                    item["targetRef"] = KubernetesJson.WriteNode(target);
                list.Add(item);
            }
            return list;
        }
    }
}
