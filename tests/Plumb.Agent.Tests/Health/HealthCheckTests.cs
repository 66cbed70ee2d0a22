using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Plumb.Agent.Health;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Tests.Health;

public sealed class HealthCheckTests
{
    private static readonly Subject _website = new(SubjectKind.Service, "default", "website");

    [Fact]
    public async Task A_balancer_hears_whether_the_Service_has_endpoints_on_this_node()
    {
        using var network = Loopback();
        using var server = new HealthCheckServer(network, NullLogger.Instance, TimeProvider.System);
        server.Update(new Dictionary<ushort, HealthCheck> { [32_000] = new(_website, 2) });
        Assert.Equal("""200 {"service":{"namespace":"default","name":"website"},"localEndpoints":2,"serviceProxyHealthy":true}""", await CurlAsync(network, "http://127.0.0.1:32000/healthz"));

        server.Update(new Dictionary<ushort, HealthCheck> { [32_000] = new(_website, 0) });
        Assert.StartsWith("503 ", await CurlAsync(network, "http://[::1]:32000/"), StringComparison.Ordinal);

        server.Update(new Dictionary<ushort, HealthCheck>());
        Assert.Equal("000", (await CurlAsync(network, "http://127.0.0.1:32000/")).Trim());
    }

    private static NetworkNamespace Loopback()
    {
        var network = NetworkNamespace.Create();
        using var kernels = new Kernels();
        var node = new NamespaceId("node-1");
        kernels.Add(node, NetworkNamespace.Open(network.ProcPath));
        kernels.Apply([new DeltaItem(new Desired(new LinkEntry(node, "lo", new LinkType.Loopback()) { Up = true }), null)]);
        return network;
    }

    private static async Task<string> CurlAsync(NetworkNamespace network, string url)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net={network.ProcPath}", "curl", "-s", "-g", "-w", "\n%{http_code}", url]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var lines = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n');
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return $"{lines[^1]} {lines[0]}";
    }
}
