using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Plumb.Api.Http.Transport;

/// <summary>A certificate authority that lives as long as the server, and the certificate that it gives the server (ECDSA P-256).</summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _server;
    private readonly Lazy<SslStreamCertificateContext> _context;

    public ServerCertificate(IPAddress serviceAddress, IEnumerable<IPAddress> addresses, string clusterDomain, DateTimeOffset now)
    {
        var from = now.AddHours(-1);
        var until = now.AddYears(1);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=plumb-ca", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true));
        authority.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authority.PublicKey, false));
        _authority = authority.CreateSelfSigned(from, until);

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=plumb-apiserver", serverKey, HashAlgorithmName.SHA256);
        server.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        server.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        server.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        server.CertificateExtensions.Add(AlternativeNames(serviceAddress, addresses, clusterDomain));
        using var signed = server.Create(_authority, from, until, RandomNumberGenerator.GetBytes(16));
        _server = signed.CopyWithPrivateKey(serverKey);
        _context = new(() => SslStreamCertificateContext.Create(_server, null, offline: true));
    }

    /// <summary>Made for the first connection: the runtime reads every root certificate of the machine for it (0.1 s of CPU), in vain.</summary>
    public SslStreamCertificateContext Context => _context.Value;

    /// <summary>What a kubeconfig's certificate-authority-data says, before base64.</summary>
    public string AuthorityPem => _authority.ExportCertificatePem();

    public void Dispose()
    {
        _server.Dispose();
        _authority.Dispose();
    }

    private static X509Extension AlternativeNames(IPAddress serviceAddress, IEnumerable<IPAddress> addresses, string clusterDomain)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName("kubernetes");
        names.AddDnsName("kubernetes.default");
        names.AddDnsName("kubernetes.default.svc");
        names.AddDnsName($"kubernetes.default.svc.{clusterDomain}");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        names.AddIpAddress(serviceAddress);
        foreach (var address in addresses)
            names.AddIpAddress(address);
        return names.Build();
    }
}
