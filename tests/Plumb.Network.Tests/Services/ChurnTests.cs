using System.Text.RegularExpressions;
using Plumb.Linux.Addresses;
using Plumb.Network.Facts;

namespace Plumb.Network.Tests.Services;

/// <summary>Endpoints come and go while new connections begin all the time.</summary>
public sealed class ChurnTests
{
    private const int Clients = 8;
    private const int Changes = 300;
    private const int Connections = 200;
    private const int MostChanges = 100 * Changes;

    private static readonly string[][] _sets = [["near"], ["near", "far"], ["far", "farther"], ["near", "far", "farther"], ["farther", "near"]];

    private int _connections;

    [Theory]
    [InlineData(ServicesKind.Nftables)]
    [InlineData(ServicesKind.Iptables)]
    public async Task No_connection_fails_and_no_packet_keeps_a_Service_s_address(ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        using var near = new Server("near", world["near"], 8080);
        using var far = new Server("far", world["far"], 8080);
        using var farther = new Server("farther", world["farther"], 8080);
        world.Apply(Service + Slice(_sets[0]));
        // Between the translation (-100) and the refusal (-90).
        await world.RunAsync(
            "node-1", "nft",
            "add table ip witness; add chain ip witness after { type filter hook prerouting priority -95; }; add rule ip witness after ip daddr 10.96.0.0/12 counter");
        using var ended = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Clients).Select(_ => ConnectAsync(world, ended.Token)).ToList();
        await Task.Run(() =>
        {
            // Until both have had their share, on a machine that is busy with other tests as well.
            for (var i = 0; i < MostChanges && (i < Changes || Volatile.Read(ref _connections) < Connections); i++)
            {
                world.Apply(Slice(_sets[i % _sets.Length]));
            }
        }, TestContext.Current.CancellationToken);
        await ended.CancelAsync();
        var heard = (await Task.WhenAll(clients)).SelectMany(static all => all).ToList();

        var witness = await world.RunAsync("node-1", "nft", "list", "table", "ip", "witness")
            + await world.RunAsync("node-1", "nft", "list", "counters");
        Assert.True(
            heard.All(static one => one.Server is not null),
            $"{heard.Count(static one => one == Heard.Refused)} refused, {heard.Count(static one => one == Heard.Silence)} silent of {heard.Count}\n{witness}");
        Assert.True(heard.Count >= Connections, $"only {heard.Count} connections");
        Assert.Equal(["far", "farther", "near"], heard.Select(static one => one.Server).Distinct().Order());
        Assert.Contains("counter packets 0 bytes 0", witness, StringComparison.Ordinal);
        if (services == ServicesKind.Nftables)
        {
            Assert.Matches(new Regex(@"counter raced \{"), witness);
        }
    }

    private async Task<List<Heard>> ConnectAsync(ServiceWorld world, CancellationToken ended)
    {
        var heard = new List<Heard>();
        do
        {
            heard.Add(await Talk.TcpAsync(world["client"], IpAddress.V4(10, 96, 14, 7), 80, TimeSpan.FromMinutes(1)));
            Interlocked.Increment(ref _connections);
        }
        while (!ended.IsCancellationRequested);
        return heard;
    }

    // One port: a UDP port beside it would have every change look for what conntrack remembers of it.
    private const string Service =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: website}
        spec: {clusterIP: 10.96.14.7, clusterIPs: [10.96.14.7], ports: [{port: 80}]}
        ---

        """;

    private static string Slice(string[] pods) =>
        $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: website-a, labels: {kubernetes.io/service-name: website} }
        addressType: IPv4
        ports: [{port: 8080}]
        endpoints: [{{string.Join(", ", pods.Select(static pod => $"{{addresses: [{ServiceManifests.Address(pod)}]}}"))}}]
        """;
}
