using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Api.Controllers.Services;

/// <summary>The endpoints of one Service, placed in slices.</summary>
internal sealed class ServiceEndpoints
{
    private const int MostInSlice = 100;
    private const int FewEndpoints = 100;

    /// <summary>The one big Endpoints object of a large Service is written at most so often.</summary>
    private static readonly TimeSpan EndpointsInterval = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<(string PodUid, string Family), (Slice Slice, string Text)> places = [];
    private readonly List<Slice> slices = [];
    private StoredObject stored;
    private Service service;
    private Selector selector;
    private bool endpointsAreDirty = true;
    private DateTimeOffset endpointsWritten;

    public ServiceEndpoints(StoredObject stored, Service service)
    {
        this.stored = stored;
        this.service = service;
        selector = Selector.FromMap(service.Spec.Selector);
        foreach (string family in Families)
            SliceFor(family, "");
    }

    public StoreKey Key => stored.Key;

    public string Uid => stored.Uid;

    private IReadOnlyList<string> Families => service.Spec.IpFamilies.Count > 0 ? service.Spec.IpFamilies : ["IPv4"];

    private bool IsHeadless => service.Spec.ClusterIP == "None";

    /// <returns>Whether endpoints may be others now; then all pods have to be put anew.</returns>
    public bool Take(StoredObject newer, Service record)
    {
        bool same = selector.ToString() == Selector.FromMap(record.Spec.Selector).ToString() && Same(service.Spec.Ports, record.Spec.Ports)
            && Same(Families, record.Spec.IpFamilies) && service.Spec.PublishNotReadyAddresses == record.Spec.PublishNotReadyAddresses && stored.Labels.Equals(newer.Labels);
        stored = newer;
        service = record;
        if (same)
            return false;
        selector = Selector.FromMap(record.Spec.Selector);
        foreach (var slice in slices)
        {
            slice.Endpoints.Clear();
            slice.IsDirty = true;
        }
        places.Clear();
        endpointsAreDirty = true;
        return true;
    }

    /// <returns>Whether anything is to be written.</returns>
    public bool Put(PodFacts pod)
    {
        if (pod.Addresses.Count == 0 || pod.IsOver || !selector.Matches(pod.Stored.Labels))
            return Remove(pod);
        bool changed = false;
        foreach (string family in Families)
        {
            string? address = null;
            foreach (string candidate in pod.Addresses)
            {
                if (address is null && EndpointSliceController.IsOf(family, candidate))
                    address = candidate;
            }
            if (address is null)
                continue;
            var placeKey = (pod.Stored.Uid, family);
            string ports = PortsOf(pod);
            string text = $"{address} {pod.NodeName} {pod.IsReady} {pod.Stored.IsDeleting} {pod.Hostname} {pod.Subdomain}";
            if (places.TryGetValue(placeKey, out var place))
            {
                if (place.Text == text && place.Slice.Ports == ports)
                    continue;
                place.Slice.Endpoints.Remove(pod.Stored.Uid);
                place.Slice.IsDirty = true;
            }
            var slice = place.Slice is not null && place.Slice.Ports == ports ? place.Slice : SliceFor(family, ports);
            slice.Endpoints[pod.Stored.Uid] = (pod, address);
            slice.IsDirty = true;
            places[placeKey] = (slice, text);
            changed = true;
        }
        endpointsAreDirty |= changed;
        return changed;
    }

    public bool Remove(PodFacts pod)
    {
        bool changed = false;
        foreach (string family in (ReadOnlySpan<string>)["IPv4", "IPv6"])
        {
            if (!places.Remove((pod.Stored.Uid, family), out var place))
                continue;
            place.Slice.Endpoints.Remove(pod.Stored.Uid);
            place.Slice.IsDirty = true;
            changed = true;
        }
        endpointsAreDirty |= changed;
        return changed;
    }

    /// <summary>Somebody deleted one of our slices.</summary>
    public bool Lost(string name)
    {
        foreach (var slice in slices)
        {
            if (slice.Name == name)
            {
                slice.Name = null;
                return slice.IsDirty = true;
            }
        }
        return false;
    }

    public void Write(ControllerContext context)
    {
        for (int i = slices.Count - 1; i >= 0; i--)
        {
            var slice = slices[i];
            if (!slice.IsDirty)
                continue;
            if (slice.Endpoints.Count == 0 && IsSpare(slice))
            {
                slices.RemoveAt(i);
                if (slice.Name is not null)
                    Delete(context, slice.Name);
                continue;
            }
            if (slice.Name is null)
            {
                slice.Name = context.Registry.Create(GroupResource.EndpointSlices, stored.Namespace, NewSlice(slice)).Name;
            }
            else
            {
                try
                {
                    context.Registry.Update(new StoreKey(GroupResource.EndpointSlices, stored.Namespace, slice.Name), root =>
                    {
                        Fill(root, slice);
                        return true;
                    });
                }
                catch (ApiException gone) when (gone.IsNotFound)
                {
                    slice.Name = null;
                    throw;
                }
            }
            slice.IsDirty = false;
        }
    }

    /// <returns>When to come again, if it is too early now.</returns>
    public TimeSpan? WriteEndpoints(ControllerContext context)
    {
        if (!endpointsAreDirty)
            return null;
        var now = context.Time.GetUtcNow();
        if (places.Count > FewEndpoints && now - endpointsWritten < EndpointsInterval)
            return EndpointsInterval - (now - endpointsWritten);
        var key = new StoreKey(GroupResource.Endpoints, stored.Namespace, stored.Name);
        var root = EndpointsObject();
        if (context.Store.Find(key) is null)
            context.Registry.Create(GroupResource.Endpoints, stored.Namespace, root);
        else
        {
            context.Registry.Update(key, present =>
            {
                present["subsets"] = root["subsets"]?.DeepClone();
                if (present["subsets"] is null)
                    present.Remove("subsets");
                return true;
            });
        }
        endpointsAreDirty = false;
        endpointsWritten = now;
        return null;
    }

    private Slice SliceFor(string family, string ports)
    {
        foreach (var slice in slices)
        {
            if (slice.Family == family && (slice.Ports == ports || (slice.Endpoints.Count == 0 && slice.Ports.Length == 0)) && slice.Endpoints.Count < MostInSlice)
            {
                slice.Ports = ports;
                return slice;
            }
        }
        var made = new Slice(family, ports);
        slices.Add(made);
        return made;
    }

    /// <summary>The last slice of a family stays even when it is empty: it shows that there is nobody.</summary>
    private bool IsSpare(Slice slice)
    {
        bool served = false;
        foreach (string family in Families)
            served |= family == slice.Family;
        if (!served)
            return true;
        foreach (var other in slices)
        {
            if (other != slice && other.Family == slice.Family)
                return true;
        }
        return false;
    }

    private void Delete(ControllerContext context, string name)
    {
        try
        {
            context.Registry.Delete(new StoreKey(GroupResource.EndpointSlices, stored.Namespace, name));
        }
        catch (ApiException gone) when (gone.IsNotFound)
        {
            // That is what was wanted.
        }
    }

    /// <summary>The target ports as this pod resolves them, in one text: pods with the same text share slices. `name/protocol/number/appProtocol`, by spaces.</summary>
    private string PortsOf(PodFacts pod)
    {
        var text = new StringBuilder();
        foreach (var port in service.Spec.Ports)
        {
            int number = port.TargetPort.Text is { } name
                ? pod.NamedPorts is { } named && named.TryGetValue((name, port.Protocol), out int found) ? found : 0
                : port.TargetPort.Number != 0 ? port.TargetPort.Number : port.Port;
            if (number != 0)
                text.Append(text.Length > 0 ? " " : "").Append(port.Name).Append('/').Append(port.Protocol).Append('/').Append(number).Append('/').Append(port.AppProtocol?.Replace('/', '\t'));
        }
        return text.ToString();
    }

    private JsonObject NewSlice(Slice slice)
    {
        var labels = new JsonObject();
        foreach (var (key, value) in stored.Labels)
            labels[key] = value;
        labels[EndpointSlice.ServiceNameLabel] = stored.Name;
        labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io";
        if (IsHeadless)
            labels["service.kubernetes.io/headless"] = "";
        var root = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["generateName"] = stored.Name + "-",
                ["labels"] = labels,
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "Service",
                    ["name"] = stored.Name,
                    ["uid"] = stored.Uid,
                    ["controller"] = true,
                    ["blockOwnerDeletion"] = true,
                }),
            },
            ["addressType"] = slice.Family,
        };
        Fill(root, slice);
        return root;
    }

    private void Fill(JsonObject root, Slice slice)
    {
        var endpoints = new JsonArray();
        foreach (var (pod, address) in slice.Endpoints.Values)
        {
            bool terminating = pod.Stored.IsDeleting;
            var endpoint = new JsonObject
            {
                ["addresses"] = new JsonArray(address),
                ["conditions"] = new JsonObject
                {
                    ["ready"] = service.Spec.PublishNotReadyAddresses || (pod.IsReady && !terminating),
                    ["serving"] = pod.IsReady,
                    ["terminating"] = terminating,
                },
            };
            if (pod.Hostname is { Length: > 0 } hostname && pod.Subdomain == stored.Name)
                endpoint["hostname"] = hostname;
            if (pod.NodeName.Length > 0)
                endpoint["nodeName"] = pod.NodeName;
            endpoint["targetRef"] = TargetRef(pod);
            endpoints.Add(endpoint);
        }
        root["endpoints"] = endpoints;
        root["ports"] = PortsNode(slice.Ports);
    }

    private JsonObject EndpointsObject()
    {
        var subsets = new JsonArray();
        foreach (var slice in slices)
        {
            if (slice.Endpoints.Count == 0 || slice.Family != Families[0])
                continue;
            JsonArray ready = [], notReady = [];
            foreach (var (pod, address) in slice.Endpoints.Values)
            {
                // The older form knows no terminating endpoints.
                if (pod.Stored.IsDeleting && !service.Spec.PublishNotReadyAddresses)
                    continue;
                var item = new JsonObject { ["ip"] = address };
                if (pod.Hostname is { Length: > 0 } hostname && pod.Subdomain == stored.Name)
                    item["hostname"] = hostname;
                if (pod.NodeName.Length > 0)
                    item["nodeName"] = pod.NodeName;
                item["targetRef"] = TargetRef(pod);
                (pod.IsReady || service.Spec.PublishNotReadyAddresses ? ready : notReady).Add(item);
            }
            if (ready.Count + notReady.Count == 0)
                continue;
            var subset = new JsonObject();
            if (ready.Count > 0)
                subset["addresses"] = ready;
            if (notReady.Count > 0)
                subset["notReadyAddresses"] = notReady;
            if (slice.Ports.Length > 0)
                subset["ports"] = PortsNode(slice.Ports);
            subsets.Add(subset);
        }
        var labels = new JsonObject { ["endpoints.kubernetes.io/managed-by"] = "endpoint-controller" };
        foreach (var (key, value) in stored.Labels)
            labels[key] = value;
        var root = new JsonObject { ["metadata"] = new JsonObject { ["name"] = stored.Name, ["labels"] = labels } };
        if (subsets.Count > 0)
            root["subsets"] = subsets;
        return root;
    }

    private JsonObject TargetRef(PodFacts pod) =>
        new() { ["kind"] = "Pod", ["namespace"] = stored.Namespace, ["name"] = pod.Key.Name, ["uid"] = pod.Stored.Uid };

    private static JsonArray PortsNode(string ports)
    {
        var list = new JsonArray();
        foreach (string port in ports.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = port.Split('/');
            var item = new JsonObject
            {
                ["name"] = parts[0],
                ["port"] = int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture),
                ["protocol"] = parts[1],
            };
            if (parts[3].Length > 0)
                item["appProtocol"] = parts[3].Replace('\t', '/');
            list.Add(item);
        }
        return list;
    }

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

    private sealed class Slice(string family, string ports)
    {
        /// <summary>Null until it is in the store.</summary>
        public string? Name { get; set; }
        public string Family => family;
        public string Ports { get; set; } = ports;
        public Dictionary<string, (PodFacts Pod, string Address)> Endpoints { get; } = [];
        public bool IsDirty { get; set; } = true;
    }
}
