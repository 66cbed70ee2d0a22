using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Zones;

/// <summary>What of an object has to do with names: the rest is not kept.</summary>
internal static class Kept
{
    public static Service Of(Service service) => new()
    {
        Metadata = Identity(service.Metadata),
        Spec = new ServiceSpec
        {
            Type = service.Spec.Type,
            ClusterIP = service.Spec.ClusterIP,
            ExternalName = service.Spec.ExternalName,
            PublishNotReadyAddresses = service.Spec.PublishNotReadyAddresses,
            Ports = service.Spec.Ports,
        },
    };

    private static ObjectMeta Identity(ObjectMeta meta) => new() { Namespace = meta.Namespace, Name = meta.Name };
}

/// <summary>
/// What of a slice has to do with names. Slices of Services with a ClusterIP have nothing to do with them, but one that becomes headless has; hence all are
/// kept, as small as they can be.
/// </summary>
internal sealed record KeptSlice(ObjectKey Key, IReadOnlyList<EndpointPort> Ports, KeptEndpoint[] Endpoints)
{
    /// <summary>Addresses that are none are left out: whoever refuses such objects is the API.</summary>
    public static KeptSlice Of(EndpointSlice slice)
    {
        var endpoints = new List<KeptEndpoint>(slice.Endpoints.Count);
        foreach (var endpoint in slice.Endpoints)
        {
            foreach (var text in endpoint.Addresses)
            {
                if (IpAddress.TryParse(text, out var address))
                {
                    var target = endpoint.TargetRef is { Name: { } name } named ? new ObjectKey(named.Kind ?? "Pod", named.Namespace ?? "", name) : (ObjectKey?)null;
                    endpoints.Add(new KeptEndpoint(address, endpoint.Conditions.Ready != false, endpoint.Hostname, target));
                }
            }
        }
        return new KeptSlice(slice.Key(), slice.Ports, [.. endpoints]);
    }
}

internal readonly record struct KeptEndpoint(IpAddress Address, bool IsReady, string? Hostname, ObjectKey? Target);
