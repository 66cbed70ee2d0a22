using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Plumb.Lab.Workloads;

/// <summary>What a built-in workload with TLS shows its clients: the container's files, or, as agnhost's image brings one, a certificate for localhost that nobody signed.</summary>
internal static class WorkloadCertificate
{
    private const string OfTheImage = "localhost.crt";

    /// <exception cref="WorkloadException">The container has no such file, or not that in it.</exception>
    public static SslStreamCertificateContext Of(WorkloadPlan plan, TimeProvider time)
    {
        if (!File.Exists(plan.CertificateFile) && plan.CertificateFile.TrimStart('/') == OfTheImage)
        {
            return SslStreamCertificateContext.Create(ForLocalhost(time.GetUtcNow()), null, offline: true);
        }
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(plan.CertificateFile);
            return SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(plan.CertificateFile, plan.KeyFile.Length > 0 ? plan.KeyFile : plan.CertificateFile), chain, offline: true);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new WorkloadException($"the certificate {plan.CertificateFile} with the key {plan.KeyFile} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static X509Certificate2 ForLocalhost(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=Acme Co", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(now.AddHours(-1), now.AddYears(10));
    }
}
