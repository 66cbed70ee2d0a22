using Plumb.Network;

namespace Plumb.Agent.Health;

/// <summary>What a load balancer asks a node about one Service (spec.healthCheckNodePort).</summary>
/// <param name="LocalEndpoints">How many ready endpoints it has on this node; none: the balancer should send its clients elsewhere.</param>
internal readonly record struct HealthCheck(Subject Service, int LocalEndpoints);

/// <summary>Which health checks a node has to answer, by port.</summary>
internal static class HealthChecks
{
    public static Dictionary<ushort, HealthCheck> Of(NetworkView view)
    {
        var checks = new Dictionary<ushort, HealthCheck>();
        foreach (var service in view.Cluster.Services.HealthChecked)
        {
            var most = 0;
            foreach (var port in view.Node.Pools.Of(service.Subject)?.Ports ?? [])
            {
                most = Math.Max(most, port.LocalReady);
            }
            checks[service.HealthCheckPort] = new HealthCheck(service.Subject, most);
        }
        return checks;
    }
}
