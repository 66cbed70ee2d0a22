using Plumb.Kubernetes.Objects;
using Plumb.Lab.Node;

namespace Plumb.Lab.Tests.Node;

public sealed class ServiceVariablesTests
{
    [Fact]
    public void A_service_is_told_in_both_forms()
    {
        var variables = Of(new ServiceSpec
        {
            ClusterIP = "10.96.14.7",
            Ports = [new() { Name = "client-api", Port = 6379 }, new() { Name = "gossip", Port = 7000, Protocol = "UDP" }],
        });
        Assert.Equal(
            [
                "REDIS_PRIMARY_PORT=tcp://10.96.14.7:6379",
                "REDIS_PRIMARY_PORT_6379_TCP=tcp://10.96.14.7:6379",
                "REDIS_PRIMARY_PORT_6379_TCP_ADDR=10.96.14.7",
                "REDIS_PRIMARY_PORT_6379_TCP_PORT=6379",
                "REDIS_PRIMARY_PORT_6379_TCP_PROTO=tcp",
                "REDIS_PRIMARY_PORT_7000_UDP=udp://10.96.14.7:7000",
                "REDIS_PRIMARY_PORT_7000_UDP_ADDR=10.96.14.7",
                "REDIS_PRIMARY_PORT_7000_UDP_PORT=7000",
                "REDIS_PRIMARY_PORT_7000_UDP_PROTO=udp",
                "REDIS_PRIMARY_SERVICE_HOST=10.96.14.7",
                "REDIS_PRIMARY_SERVICE_PORT=6379",
                "REDIS_PRIMARY_SERVICE_PORT_CLIENT_API=6379",
                "REDIS_PRIMARY_SERVICE_PORT_GOSSIP=7000",
            ],
            variables);
    }

    [Fact]
    public void An_IPv6_address_stands_in_brackets_in_the_links() =>
        Assert.Contains("REDIS_PRIMARY_PORT=tcp://[fd00:10:96::7]:80", Of(new ServiceSpec { ClusterIP = "fd00:10:96::7", Ports = [new() { Port = 80 }] }));

    [Theory]
    [InlineData("None")]
    [InlineData("")]
    [InlineData(null)]
    public void What_has_no_address_is_not_told(string? address) => Assert.Empty(Of(new ServiceSpec { ClusterIP = address, Ports = [new() { Port = 80 }] }));

    private static IEnumerable<string> Of(ServiceSpec spec)
    {
        var variables = new Dictionary<string, string>();
        ServiceVariables.Add(variables, new Service { Metadata = new() { Name = "redis-primary" }, Spec = spec });
        return variables.Select(static one => $"{one.Key}={one.Value}").Order(StringComparer.Ordinal);
    }
}
