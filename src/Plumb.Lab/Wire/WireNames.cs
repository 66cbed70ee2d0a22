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
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    private WireNames(DnsServerOptions options, Action<string?> told)
    {
        _serving = DnsServer.KeepAsync(options, told, _end.Token);
        ResolverFile = string.Concat(options.Addresses.Select(static address => $"nameserver {address}\n"));
    }

    /// <summary>The /etc/resolv.conf of a node.</summary>
    public string ResolverFile { get; }

    /// <param name="wire">The wire's namespace.</param>
    /// <param name="addresses">The wire's addresses.</param>
    /// <exception cref="LabException">They cannot be had.</exception>
    public static async Task<WireNames> StartAsync(NetworkNamespace wire, IReadOnlyList<IpAddress> addresses, ForwardOptions forward, ILogger log, TimeProvider time)
    {
        var first = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var names = new WireNames(
            new DnsServerOptions
            {
                Network = wire,
                Addresses = addresses,
                Zone = new ClusterZone(new ZoneOptions { Domain = DomainName.Parse("plumb.internal"), Servers = addresses, Ranges = [], PodRanges = [] }),
                Forward = forward,
                Log = log,
                Time = time,
            },
            told: why => first.TrySetResult(why));
        if (await first.Task is { } refused)
        {
            await names.DisposeAsync();
            throw new LabException($"the wire has no DNS server: {refused}");
        }
        return names;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }
}
