using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Plumb.Kubernetes.Clients;

/// <summary>Where an API server is and how it is spoken to.</summary>
public sealed record ClusterConnection
{
    public required Uri Server { get; init; }

    /// <summary>PEM certificates that the server's must be issued by. Null: those that the machine trusts.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>Believe any certificate: `insecure-skip-tls-verify`.</summary>
    public bool SkipVerification { get; init; }

    /// <summary>The name that the server's certificate must carry, when it is not that of <see cref="Server"/>.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>PEM; together with <see cref="ClientKey"/>.</summary>
    public string? ClientCertificate { get; init; }
    public string? ClientKey { get; init; }
    public string? Token { get; init; }

    /// <summary>Read anew for each request when it has changed: such tokens are renewed in place. It has precedence over <see cref="Token"/>.</summary>
    public string? TokenFile { get; init; }

    /// <summary>The namespace of objects that name none.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>Opens the byte stream to the server, TLS not included; in place of a TCP connection.</summary>
    public Func<CancellationToken, ValueTask<Stream>>? Connect { get; init; }

    /// <summary>Says nothing of tokens and keys.</summary>
    public override string ToString() => Server.ToString();

    internal SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            // A watch holds its connection; only HTTP/2 shares one among several.
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
        };
        if (Connect is { } connect)
            handler.ConnectCallback = (_, cancel) => connect(cancel);
        if (Server.Scheme != Uri.UriSchemeHttps)
            return handler;

        var tls = new SslClientAuthenticationOptions { TargetHost = TlsServerName ?? Server.Host };
        if (SkipVerification)
        {
#pragma warning disable CA5359 // It is what the user asked for, by this very name.
            tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (CertificateAuthority is { } pem)
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(pem);
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }
        if (ClientCertificate is not null && ClientKey is not null)
            tls.ClientCertificates = [X509Certificate2.CreateFromPem(ClientCertificate, ClientKey)];
        handler.SslOptions = tls;
        return handler;
    }
}
