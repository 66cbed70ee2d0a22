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
    // They come back at once; but a node may be cut off.
    private static readonly TimeSpan WatchPatience = TimeSpan.FromSeconds(10);

    private readonly ServerCertificate _certificate;
    private readonly Listener _listener;
    private readonly ServiceAccountTokens _tokens;
    private readonly WriteHold _hold = new();
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private int _disposed;

    private ApiServer(ServerCertificate certificate, Listener listener, Registry registry, ServiceAccountTokens tokens, string token, TimeProvider time)
    {
        _certificate = certificate;
        _listener = listener;
        Registry = registry;
        _tokens = tokens;
        Token = token;
        _time = time;
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
        var server = new ApiServer(certificate, listener, registry, tokens, token, options.Time);
        var log = options.Loggers?.CreateLogger("Plumb.Api") ?? NullLogger.Instance;
        var streams = options.Runtime is { } runtime ? new PodStreams(runtime, options.Time) : null;
        var documents = new Documents(registry.Catalog, options.Time.GetUtcNow());
        var gate = new Gate(new Authentication(token, tokens), new Authorizer(registry.Store));
        await listener.StartAsync(new ApiApplication(registry, gate, tokens, documents, streams, server._hold, options.Time, log, server._stopping.Token), cancel);
        Bootstrap.KubernetesService(registry, options.Advertised ?? listener.Address, certificate.AuthorityPem);
        Bootstrap.DnsService(registry);
        return server;
    }

    /// <summary>
    /// Puts a copy of this server's store in its place, as a restart of a real server on a restored etcd does: the resourceVersion is the copy's again, all watches end,
    /// and what was kept in memory follows from the copy. Keys and certificates are the server's and stay. Clients' writes are held back until it is done and the watches
    /// of those who call themselves `plumb-…` are back, or patience ends.
    /// </summary>
    /// <param name="between">Done when clients no longer write and before anything is replaced: what writes through <see cref="Registry"/> must have ended after it.</param>
    /// <param name="cancel">Until then: nothing has happened.</param>
    /// <param name="ending">Nobody is waited for any more.</param>
    /// <exception cref="StoreCopyException">The copy cannot be this server's; all is as it was.</exception>
    public async Task RestoreAsync(StoreCopy copy, Func<Task> between, CancellationToken cancel, CancellationToken ending)
    {
        Registry.Check(copy);
        var quiet = _hold.Hold();
        try
        {
            await quiet.WaitAsync(cancel);
            await between();
            var back = _hold.AwaitWatches();
            Registry.Load(copy);
            await Task.WhenAny(back, Task.Delay(WatchPatience, _time, ending));
        }
        finally
        {
            _hold.LetGo();
        }
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
