using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Plumb.Diagnosis.Observe;

/// <summary>A TLS handshake (RFC 8446, RFC 5246) that goes on whatever the certificate is, and says what is wrong with it.</summary>
public static class TlsTalk
{
    private const string SubjectAlternativeName = "2.5.29.17";

    /// <param name="host">The name that was typed: sent as server name (RFC 6066), and looked for in the certificate.</param>
    /// <param name="trusted">Authorities to be believed beside this machine's.</param>
    /// <returns>The encrypted stream, which owns <paramref name="plain"/>; null: there is none.</returns>
    public static async Task<(TlsReport Report, Stream? Stream)> ShakeHandsAsync(Stream plain, string host, IReadOnlyList<X509Certificate2> trusted, TimeProvider time, CancellationToken cancel)
    {
        IReadOnlyList<TlsCertificate> certificates = [];
        List<string> problems = [];
        var now = time.GetUtcNow();
        var tls = new SslStream(plain, leaveInnerStreamOpen: false);
        var policy = new X509ChainPolicy
        {
            // Whether it was revoked, and certificates that the server forgot, would have to be asked for elsewhere: a trace asks nobody else.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = now.LocalDateTime,
        };
        policy.ExtraStore.AddRange(trusted.ToArray());
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            CertificateChainPolicy = policy,
            RemoteCertificateValidationCallback = (_, leaf, chain, errors) =>
            {
                var elements = chain?.ChainElements.Select(static element => element.Certificate).ToList() ?? [];
                certificates = [.. elements.Select(Of)];
                problems = Problems(host, leaf is null ? null : elements.FirstOrDefault(), chain, errors, trusted, now);
                return true;
            },
        };
        try
        {
            await tls.AuthenticateAsClientAsync(options, cancel);
            return (new TlsReport(Name(tls.SslProtocol), tls.NegotiatedCipherSuite.ToString(), certificates, problems), tls);
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException)
        {
            await tls.DisposeAsync();
            return (new TlsReport(null, null, certificates, [.. problems, $"the handshake fails: {(failed.InnerException ?? failed).Message}"]), null);
        }
    }

    private static string Name(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls12 => "TLS 1.2",
        SslProtocols.Tls13 => "TLS 1.3",
        _ => protocol.ToString(),
    };

    private static List<string> Problems(
        string host, X509Certificate2? leaf, X509Chain? chain, SslPolicyErrors errors, IReadOnlyList<X509Certificate2> trusted, DateTimeOffset now)
    {
        var problems = new List<string>();
        if (leaf is null)
        {
            problems.Add("the server sends no certificate");
            return problems;
        }
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            var names = Names(leaf);
            problems.Add($"the certificate is {(names.Count == 0 ? "for no name at all" : $"for {string.Join(", ", names)}")}, and {host} was asked for");
        }
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            foreach (var status in element.ChainElementStatus)
            {
                if (Problem(element.Certificate, status, trusted, now) is { } problem)
                {
                    problems.Add(problem);
                }
            }
        }
        return problems;
    }

    private static string? Problem(X509Certificate2 certificate, X509ChainStatus status, IReadOnlyList<X509Certificate2> trusted, DateTimeOffset now)
    {
        var subject = Subject(certificate);
        return status.Status switch
        {
            X509ChainStatusFlags.NotTimeValid when now > certificate.NotAfter => $"the certificate of {subject} expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC",
            X509ChainStatusFlags.NotTimeValid => $"the certificate of {subject} is not valid before {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC",
            X509ChainStatusFlags.UntrustedRoot when trusted.Any(one => one.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span)) => null,
            X509ChainStatusFlags.UntrustedRoot => $"{subject}, which signed {(certificate.Subject == certificate.Issuer ? "itself" : "it")}, is no authority that this machine trusts",
            X509ChainStatusFlags.PartialChain => $"{Issuer(certificate)}, which signed the certificate of {subject}, is not sent by the server and not known here",
            X509ChainStatusFlags.NoError => null,
            _ => $"the certificate of {subject}: {status.StatusInformation.TrimEnd('.', ' ')}",
        };
    }

    private static TlsCertificate Of(X509Certificate2 certificate) =>
        new(Subject(certificate), Issuer(certificate), Names(certificate), certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());

    private static string Subject(X509Certificate2 certificate) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } name ? name : certificate.Subject;

    private static string Issuer(X509Certificate2 certificate) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: true) is { Length: > 0 } name ? name : certificate.Issuer;

    private static List<string> Names(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == SubjectAlternativeName)
            {
                var names = new X509SubjectAlternativeNameExtension(extension.RawData, extension.Critical);
                return [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(static address => address.ToString())];
            }
        }
        return [];
    }
}
