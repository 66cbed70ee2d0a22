using System.Net;
using System.Net.Sockets;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>
/// Lists the pods behind each Service that has a selector, in EndpointSlices of at most a hundred and in the older Endpoints. A pod's change is a change of its
/// one place in one slice, and only slices that changed are written: it costs the same beside ten pods or a thousand.
/// </summary>
internal sealed class EndpointSliceController(ControllerContext context) : KeyedController<StoreKey>(context)
{
    private readonly Dictionary<string, Dictionary<string, ServiceEndpoints>> services = [];

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource == GroupResource.Services)
            ObserveService(change);
        else if (change.Resource == GroupResource.Pods)
            ObservePod(change);
        else if (change is { New: null } && change.Resource == GroupResource.EndpointSlices && Find(change.Latest.Namespace, ServiceOf(change.Latest)) is { } service)
            Restore(service, change.Latest);
    }

    protected override void Reconcile(StoreKey key)
    {
        if (Find(key.Namespace, key.Name) is not { } service)
            return;
        // A write that fails is taken up again where it stopped: what is written is no longer dirty.
        service.Write(Context);
        if (service.WriteEndpoints(Context) is { } later)
            Queue.AddAfter(key, later);
    }

    private void ObserveService(in ObservedChange change)
    {
        var stored = change.Latest;
        if (!services.TryGetValue(stored.Namespace, out var inNamespace))
            services[stored.Namespace] = inNamespace = [];
        var record = change.New is null ? null : stored.As(KubernetesJson.TypeInfo<Service>());
        bool ours = record is { Spec.Selector.Count: > 0 } && record.Spec.Type != "ExternalName" && !stored.IsDeleting;
        if (!ours)
        {
            inNamespace.Remove(stored.Name);
            return;
        }
        if (inNamespace.TryGetValue(stored.Name, out var service) && service.Uid == stored.Uid)
        {
            if (!service.Take(stored, record!))
                return;
        }
        else
        {
            inNamespace[stored.Name] = service = new ServiceEndpoints(stored, record!);
        }
        foreach (var pod in View.PodsIn(stored.Namespace))
            service.Put(pod);
        Queue.Add(stored.Key);
    }

    private void ObservePod(in ObservedChange change)
    {
        if (!services.TryGetValue(change.Latest.Namespace, out var inNamespace))
            return;
        foreach (var service in inNamespace.Values)
        {
            bool changed = false;
            if (change.OldPod is { } old && (change.NewPod is null || change.NewPod.Stored.Uid != old.Stored.Uid))
                changed |= service.Remove(old);
            if (change.NewPod is { } now)
                changed |= service.Put(now);
            if (changed)
                Queue.Add(service.Key);
        }
    }

    private void Restore(ServiceEndpoints service, StoredObject gone)
    {
        if (service.Lost(gone.Name))
            Queue.Add(service.Key);
    }

    private ServiceEndpoints? Find(string @namespace, string name) =>
        services.TryGetValue(@namespace, out var inNamespace) ? inNamespace.GetValueOrDefault(name) : null;

    private static string ServiceOf(StoredObject slice) => slice.Labels.TryGetValue(EndpointSlice.ServiceNameLabel, out string? name) ? name : "";

    internal static bool IsOf(string family, string address) => IPAddress.TryParse(address, out var parsed)
        && parsed.AddressFamily == (family == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);
}
