using System.Net;
using Microsoft.Extensions.Logging;
using Plumb.Api.Streaming;

namespace Plumb.Api;

/// <summary>How the embedded API server is to run. What is left out has the defaults of a lab.</summary>
public sealed record ApiServerOptions
{
    /// <summary>Where TLS is offered; port 0 lets the kernel choose.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>The bearer token of clients that come over TLS. Null: a new one.</summary>
    public string? Token { get; init; }

    /// <summary>Addresses beside the loopback ones that the server's certificate speaks for.</summary>
    public IReadOnlyList<IPAddress> CertificateAddresses { get; init; } = [];

    /// <summary>Services get their addresses from here; the first one is that of the Service `kubernetes`.</summary>
    public IPNetwork ServiceNetwork { get; init; } = new(new IPAddress([10, 96, 0, 0]), 12);

    /// <summary>The IPv6 range of a dual-stack cluster; null: there is none.</summary>
    public IPNetwork? ServiceNetworkV6 { get; init; }

    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>What the Service `kubernetes` leads to, as seen from the nodes. Null: <see cref="Listen"/> once it is known; for a loopback address no endpoints are made.</summary>
    public IPEndPoint? Advertised { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Uids, generated names, allocated addresses and ports.</summary>
    public required Random Random { get; init; }

    /// <summary>The nodes' container runtimes, for logs, exec, attach and port-forward. Null: such requests are refused.</summary>
    public IPodRuntime? Runtime { get; init; }

    /// <summary>Pods get the service account `default` where they name none, and in their containers a token of it.</summary>
    public bool AdmitServiceAccounts { get; init; }

    public ILoggerFactory? Loggers { get; init; }
}
