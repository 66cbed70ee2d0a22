using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>
/// Lists the pods behind each Service that has a selector, in EndpointSlices of at most a hundred. A pod's change is a change of its one place in one slice, and only
/// slices that changed are written: it costs the same beside ten pods or ten thousand.
/// </summary>
internal sealed class EndpointSliceController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private readonly Dictionary<StoreKey, ServiceSlices> services = [];
    private readonly SelectorIndex<ServiceSlices> index = new();
    private readonly HashSet<ServiceSlices> found = [];
    private ZoneShares? zones;

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.Services)
            ObserveService(change);
        else if (change.Resource == GroupResource.Pods)
            ObservePod(change);
        else if (change.Resource == GroupResource.Nodes)
            ObserveNode(change);
        else if (change.Resource == GroupResource.EndpointSlices && Find(change.Latest) is { } service && service.Touched(change.Latest, change.New is null))
            Queue.Add(service.Stored.Key);
    }

    protected override void Reconcile(StoreKey key)
    {
        if (!services.TryGetValue(key, out var service))
            return;
        if (service.IsTopologyAware)
            service.Spread(zones ??= ReadZones(), Context.Events);
        service.Write(Context);
    }

    private void ObserveService(in ObservedChange change)
    {
        var stored = change.Latest;
        var record = change.New is null ? null : stored.As(KubernetesJson.TypeInfo<Service>());
        bool isNew = !services.TryGetValue(stored.Key, out var service) || service.Stored.Uid != stored.Uid;
        if (record is not { Spec.Selector.Count: > 0 } || record.Spec.IsExternalName || stored.IsDeleting)
        {
            // Slices of a Service that has lost its selector stay, for whoever cares for them now.
            if (services.Remove(stored.Key, out var former))
                index.Remove(former);
            return;
        }
        if (isNew)
        {
            if (service is not null)
                index.Remove(service);
            services[stored.Key] = service = new ServiceSlices(stored, record);
            service.Adopt(Context.Store);
        }
        else if (!service!.Take(stored, record))
        {
            return;
        }
        index.Add(stored.Namespace, record.Spec.Selector, service);
        var present = new HashSet<string>();
        foreach (var pod in View.PodsIn(stored.Namespace))
        {
            if (!SelectorIndex<ServiceSlices>.Matches(record.Spec.Selector, pod.Stored.Labels))
                continue;
            present.Add(pod.Stored.Uid);
            service.Put(pod, ZoneOf(pod));
        }
        if (isNew)
            service.RemoveOthers(present.Contains);
        Queue.Add(stored.Key);
    }

    private void ObservePod(in ObservedChange change)
    {
        found.Clear();
        if (change.OldPod is { } old)
        {
            index.Find(old.Stored.Namespace, old.Stored.Labels, found);
            foreach (var service in found)
            {
                bool stays = change.NewPod is { } same && same.Stored.Uid == old.Stored.Uid && SelectorIndex<ServiceSlices>.Matches(service.Record.Spec.Selector, same.Stored.Labels);
                if (!stays && service.Remove(old.Stored.Uid))
                    Queue.Add(service.Stored.Key);
            }
            found.Clear();
        }
        if (change.NewPod is not { } now)
            return;
        index.Find(now.Stored.Namespace, now.Stored.Labels, found);
        foreach (var service in found)
        {
            if (service.Put(now, ZoneOf(now)))
                Queue.Add(service.Stored.Key);
        }
    }

    /// <summary>A node's zone is that of its pods.</summary>
    private void ObserveNode(in ObservedChange change)
    {
        // Heartbeats change neither.
        if (change is { Old: { } before, New: { } after } && before.Labels.Equals(after.Labels) && !AnyIsAware())
            return;
        zones = null;
        foreach (var pod in View.PodsOn(change.Latest.Name))
        {
            found.Clear();
            index.Find(pod.Stored.Namespace, pod.Stored.Labels, found);
            foreach (var service in found)
            {
                if (service.Put(pod, ZoneOf(pod)))
                    Queue.Add(service.Stored.Key);
            }
        }
        foreach (var service in services.Values)
        {
            if (service.IsTopologyAware)
                Queue.Add(service.Stored.Key);
        }
    }

    private bool AnyIsAware()
    {
        foreach (var service in services.Values)
        {
            if (service.IsTopologyAware)
                return true;
        }
        return false;
    }

    private ZoneShares ReadZones() => ZoneShares.Of(Context.Store.List(GroupResource.Nodes).Select(static node => node.As(KubernetesJson.TypeInfo<Node>())));

    private string ZoneOf(PodFacts pod) =>
        pod.NodeName.Length > 0 && View.TryFind(new StoreKey(GroupResource.Nodes, "", pod.NodeName), out var node) && node.Labels.TryGetValue(TopologyHints.ZoneLabel, out string? zone) ? zone : "";

    private ServiceSlices? Find(StoredObject slice) => slice.Labels.TryGetValue(EndpointSlice.ServiceNameLabel, out string? name)
        ? services.GetValueOrDefault(new StoreKey(GroupResource.Services, slice.Namespace, name)) : null;
}
