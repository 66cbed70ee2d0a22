using System.Net;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Forwarding;

/// <summary>Whom to ask for names that are not the cluster's.</summary>
public sealed record ForwardOptions
{
    private const int Port = 53;

    /// <summary>Asked in this order; none: such names are refused.</summary>
    public IReadOnlyList<IPEndPoint> Upstreams { get; init; } = [];

    /// <summary>Domains with servers of their own; the longest that fits counts.</summary>
    public IReadOnlyList<StubDomain> StubDomains { get; init; } = [];

    /// <summary>How long a server may think before the next one is asked, too.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>When an asker is told that nobody answers. A resolver's own patience is five seconds (<c>resolv.conf(5)</c>).</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How many answers are kept.</summary>
    public int CacheEntries { get; init; } = 10_000;

    /// <summary>The longest time for which an answer is kept, in seconds.</summary>
    public uint MostTtlSeconds { get; init; } = 3600;

    /// <summary>The longest time for which it is kept that there is nothing, in seconds.</summary>
    public uint MostNegativeTtlSeconds { get; init; } = 300;

    /// <summary>How long nobody is asked again after nobody has answered, in seconds (RFC 2308, section 7.1: at most five minutes).</summary>
    public uint FailureTtlSeconds { get; init; } = 2;

    /// <summary>Questions that others are thinking about, at most; one more fails at once.</summary>
    public int MostInFlight { get; init; } = 1000;

    /// <summary><c>192.0.2.53</c>, <c>192.0.2.53:5353</c>, <c>[2001:db8::53]:5353</c>; null for anything else.</summary>
    public static IPEndPoint? Server(string text) =>
        IPAddress.TryParse(text, out var alone) ? new IPEndPoint(alone, Port) : IPEndPoint.TryParse(text, out var server) && server.Port != 0 ? server : null;

    /// <summary>Servers of an /etc/resolv.conf, those left out that would lead back here.</summary>
    /// <param name="own">Addresses that this server answers on.</param>
    public static IReadOnlyList<IPEndPoint> Servers(string resolverFile, IReadOnlyCollection<IPAddress> own)
    {
        ArgumentNullException.ThrowIfNull(own);
        var servers = new List<IPEndPoint>();
        foreach (var text in Answering.SearchPath.Parse(resolverFile).Servers)
        {
            if (IPAddress.TryParse(text, out var server) && !own.Contains(server))
            {
                servers.Add(new IPEndPoint(server, Port));
            }
        }
        return servers;
    }
}

/// <summary>A domain that certain servers know.</summary>
public sealed record StubDomain(DomainName Domain, IReadOnlyList<IPEndPoint> Servers);
