using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Plumb.Api.Access;
using Plumb.Api.Discovery;
using Plumb.Api.Http;
using Plumb.Api.Http.Transport;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Services;
using Plumb.Api.Storage;
using Plumb.Api.Streaming;

namespace Plumb.Api;

/// <summary>The embedded, in-memory Kubernetes API. Dispose it to close every connection and end every watch.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private readonly ServerCertificate _certificate;
    private readonly Listener _listener;
    private readonly ServiceAccountTokens _tokens;
    private readonly CancellationTokenSource _stopping = new();
    private int _disposed;

    private ApiServer(ServerCertificate certificate, Listener listener, Registry registry, ServiceAccountTokens tokens, string token)
    {
        _certificate = certificate;
        _listener = listener;
        Registry = registry;
        _tokens = tokens;
        Token = token;
    }

    /// <summary>Where controllers write, and through its store read.</summary>
    public Registry Registry { get; }

    public ObjectStore Store => Registry.Store;

    public string Token { get; }

    /// <summary>Where clients connect over TLS.</summary>
    public IPEndPoint Address => _listener.Address;

    /// <summary>The certificate authority of the server's certificate, as PEM.</summary>
    public string AuthorityPem => _certificate.AuthorityPem;

    /// <exception cref="IOException">The address is in use or cannot be bound.</exception>
    public static async Task<ApiServer> StartAsync(ApiServerOptions options, CancellationToken cancel = default)
    {
        var token = options.Token ?? MakeToken(options.Random);
        var ranges = new ServiceRanges(options.ServiceNetwork, options.ServiceNetworkV6);
        // A process's first key loads OpenSSL: meanwhile the store is filled.
        var making = Task.Run(() => new ServerCertificate(ranges.FirstAddress, options.CertificateAddresses, options.ClusterDomain, options.Time.GetUtcNow()), CancellationToken.None);
        var registry = new Registry(new ObjectStore(), options.Time, options.Random, ranges) { AdmitsServiceAccounts = options.AdmitServiceAccounts };
        Bootstrap.Namespaces(registry);
        Bootstrap.ServiceRanges(registry);
        Bootstrap.PriorityClasses(registry);
        AccessBootstrap.Create(registry);
        var certificate = await making;
        var listener = new Listener(options.Listen, certificate, options.Loggers);
        var tokens = new ServiceAccountTokens(registry.Store, options.Time);
        var server = new ApiServer(certificate, listener, registry, tokens, token);
        var log = options.Loggers?.CreateLogger("Plumb.Api") ?? NullLogger.Instance;
        var streams = options.Runtime is { } runtime ? new PodStreams(runtime, options.Time) : null;
        var documents = new Documents(registry.Catalog, options.Time.GetUtcNow());
        var gate = new Gate(new Authentication(token, tokens), new Authorizer(registry.Store));
        await listener.StartAsync(new ApiApplication(registry, gate, tokens, documents, streams, options.Time, log, server._stopping.Token), cancel);
        Bootstrap.KubernetesService(registry, options.Advertised ?? listener.Address, certificate.AuthorityPem);
        Bootstrap.DnsService(registry);
        return server;
    }

    /// <summary>A connection to the server that never leaves the process: for SocketsHttpHandler.ConnectCallback. No TLS, no token.</summary>
    /// <exception cref="IOException">The server has stopped.</exception>
    public Stream Connect() => _listener.Connect();

    /// <summary>A kubeconfig that leads to <paramref name="at"/>, or to <see cref="Address"/>.</summary>
    /// <param name="cluster">The name of its one cluster, user and context.</param>
    public string Kubeconfig(string cluster, IPEndPoint? at = null)
    {
        var address = at ?? Address;
        if (address.Address.Equals(IPAddress.Any))
            address = new IPEndPoint(IPAddress.Loopback, address.Port);
        return $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: {cluster}
              cluster:
                server: https://{address}
                certificate-authority-data: {Convert.ToBase64String(Encoding.UTF8.GetBytes(AuthorityPem))}
            users:
            - name: {cluster}
              user:
                token: {Token}
            contexts:
            - name: {cluster}
              context:
                cluster: {cluster}
                user: {cluster}
            current-context: {cluster}

            """;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        await _listener.DisposeAsync();
        _certificate.Dispose();
        _tokens.Dispose();
        Store.Dispose();
        _stopping.Dispose();
    }

    private static string MakeToken(Random random)
    {
        var bytes = new byte[24];
        random.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
