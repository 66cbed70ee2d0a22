using Microsoft.Extensions.Logging;
using Plumb.Dns;
using Plumb.Dns.Forwarding;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Wire;

/// <summary>
/// The wire's own DNS server, as a router at home has one: it knows no names and asks the host's servers, whom nodes cannot reach. It is whom
/// nodes ask, and pods that want their node's resolver.
/// </summary>
internal sealed class WireNames : IAsyncDisposable
{
    private readonly DnsServer _server;

    private WireNames(DnsServer server, IReadOnlyList<IpAddress> addresses)
    {
        _server = server;
        ResolverFile = string.Concat(addresses.Select(static address => $"nameserver {address}\n"));
    }

    /// <summary>The /etc/resolv.conf of a node.</summary>
    public string ResolverFile { get; }

    /// <param name="wire">The wire's namespace.</param>
    /// <param name="addresses">The wire's addresses.</param>
    /// <exception cref="LabException">They cannot be had.</exception>
    public static async Task<WireNames> StartAsync(NetworkNamespace wire, IReadOnlyList<IpAddress> addresses, ForwardOptions forward, ILogger log, TimeProvider time)
    {
        try
        {
            var server = await DnsServer.StartAsync(new DnsServerOptions
            {
                Network = wire,
                Addresses = addresses,
                Zone = new ClusterZone(new ZoneOptions { Domain = DomainName.Parse("plumb.internal"), Servers = addresses, Ranges = [], PodRanges = [] }),
                Forward = forward,
                Log = log,
                Time = time,
            });
            return new WireNames(server, addresses);
        }
        catch (IOException refused)
        {
            throw new LabException($"the wire has no DNS server: {refused.Message}", refused);
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
