using Plumb.Dns.Zones;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Dns;

/// <summary>The names of so many Services with one named port each: <c>service-N.default</c> at 10.96.0.0 + N.</summary>
internal static class NamesOfServices
{
    public static ClusterZone Make(int count)
    {
        var zone = new ClusterZone(ZoneOptions.Default);
        for (var i = 0; i < count; i++)
        {
            zone.Set(new Service
            {
                Metadata = new ObjectMeta { Namespace = "default", Name = $"service-{i}" },
                Spec = new ServiceSpec { ClusterIP = AddressOf(i), Ports = [new ServicePort { Name = "http", Port = 80 }] },
            });
        }
        return zone;
    }

    public static string AddressOf(int number) => $"10.{96 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}";
}
