using Plumb.Kubernetes.Objects;

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

    public static EndpointSlice Of(EndpointSlice slice)
    {
        var endpoints = new Endpoint[slice.Endpoints.Count];
        for (var i = 0; i < endpoints.Length; i++)
        {
            var endpoint = slice.Endpoints[i];
            endpoints[i] = new Endpoint { Addresses = endpoint.Addresses, Conditions = endpoint.Conditions, Hostname = endpoint.Hostname, TargetRef = endpoint.TargetRef };
        }
        return new EndpointSlice { Metadata = Identity(slice.Metadata), Ports = slice.Ports, Endpoints = endpoints };
    }

    private static ObjectMeta Identity(ObjectMeta meta) => new() { Namespace = meta.Namespace, Name = meta.Name };
}
