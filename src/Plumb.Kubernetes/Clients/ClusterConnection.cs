using System.Net.Security;
using System.Security.Authentication;
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

    /// <param name="time">The machine's clock, which certificates are held against.</param>
    internal SocketsHttpHandler CreateHandler(TimeProvider time)
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
        else
        {
            tls.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => errors == SslPolicyErrors.None ? true
                : throw new AuthenticationException(Distrust(certificate as X509Certificate2, chain, errors, time.GetUtcNow()));
        }
        if (CertificateAuthority is { } pem)
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

    /// <summary>Why the server's certificate is not believed, and what to do.</summary>
    private string Distrust(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (certificate is null)
            return $"the API server at {Server} shows no certificate";
        // Of the authorities above it, too.
        var all = chain is null ? [certificate] : chain.ChainElements.Select(static element => element.Certificate).Prepend(certificate);
        foreach (var one in all)
        {
            string which = $"the certificate of the API server at {Server} ({one.Subject})";
            if (now < one.NotBefore)
                return $"{which} is not valid before {one.NotBefore.ToUniversalTime():u}, and this machine's clock says {now:u}: set the clock that is wrong";
            if (now > one.NotAfter)
                return $"{which} was valid until {one.NotAfter.ToUniversalTime():u}, and this machine's clock says {now:u}: renew it, or set the clock that is wrong";
        }
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"the certificate of the API server at {Server} is not for the name {TlsServerName ?? Server.Host}: ask it by a name that it has, or say that by tls-server-name";
        string reasons = string.Join("; ", (chain?.ChainStatus ?? []).Select(static status => status.StatusInformation.Trim()).Distinct());
        return $"the certificate of the API server at {Server} is not trusted ({reasons}): is certificate-authority that of this cluster?";
    }
}
