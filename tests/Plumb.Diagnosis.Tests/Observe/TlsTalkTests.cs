using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Plumb.Diagnosis.Observe;

namespace Plumb.Diagnosis.Tests.Observe;

/// <summary>Handshakes with real servers whose certificates have one fault each.</summary>
public sealed class TlsTalkTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    public TlsTalkTests()
    {
        var request = new CertificateRequest("CN=Test Authority", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(Now.AddDays(-400), Now.AddDays(400));
    }

    [Fact]
    public async Task A_certificate_without_fault_has_no_problem()
    {
        var report = await TalkAsync(Certificate(["website", "website.default.svc"], Now.AddDays(-1), Now.AddDays(1)), "website");
        Assert.Empty(report.Problems);
        Assert.StartsWith("TLS 1.", report.Protocol, StringComparison.Ordinal);
        Assert.StartsWith("TLS_", report.CipherSuite, StringComparison.Ordinal);
        Assert.Equal(["server", "Test Authority"], report.Chain.Select(static one => one.Subject));
        Assert.Equal(["website", "website.default.svc"], report.Chain[0].Names);
        Assert.Equal("Test Authority", report.Chain[0].Issuer);
    }

    [Fact]
    public async Task A_wrong_name_is_said_with_the_names_that_would_do() =>
        Assert.Equal(
            ["the certificate is for shop.example, and website was asked for"],
            (await TalkAsync(Certificate(["shop.example"], Now.AddDays(-1), Now.AddDays(1)), "website")).Problems);

    [Fact]
    public async Task An_expired_certificate_is_said_with_its_day()
    {
        var problem = Assert.Single((await TalkAsync(Certificate(["website"], Now.AddDays(-9), Now.AddDays(-2)), "website")).Problems);
        Assert.Equal($"the certificate of server expired on {Now.AddDays(-2).UtcDateTime:yyyy-MM-dd HH:mm} UTC", problem);
    }

    [Fact]
    public async Task A_certificate_of_tomorrow_is_said_with_its_day()
    {
        var problem = Assert.Single((await TalkAsync(Certificate(["website"], Now.AddDays(1), Now.AddDays(2)), "website")).Problems);
        Assert.Equal($"the certificate of server is not valid before {Now.AddDays(1).UtcDateTime:yyyy-MM-dd HH:mm} UTC", problem);
    }

    [Fact]
    public async Task An_authority_that_nobody_knows_is_named() =>
        Assert.Equal(
            ["Test Authority, which signed the certificate of server, is not sent by the server and not known here"],
            (await TalkAsync(Certificate(["website"], Now.AddDays(-1), Now.AddDays(1)), "website", isTrusted: false)).Problems);

    [Fact]
    public async Task Who_signed_himself_is_no_authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("website");
        request.CertificateExtensions.Add(names.Build());
        using var own = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
        Assert.Equal(["server, which signed itself, is no authority that this machine trusts"], (await TalkAsync(own, "website")).Problems);
    }

    [Fact]
    public async Task What_is_no_TLS_is_a_failed_handshake()
    {
        var report = await TalkAsync(async stream => await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray()), "website", []);
        Assert.Null(report.Protocol);
        Assert.StartsWith("the handshake fails: ", Assert.Single(report.Problems), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _authorityKey.Dispose();
    }

    private X509Certificate2 Certificate(string[] names, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        using var issued = request.Create(_authority, from, until, RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }

    private async Task<TlsReport> TalkAsync(X509Certificate2 certificate, string host, bool isTrusted = true)
    {
        using (certificate)
        {
            return await TalkAsync(
                async stream =>
                {
                    await using var tls = new SslStream(stream);
                    await tls.AuthenticateAsServerAsync(certificate);
                    // Of TLS 1.3 a client is done before the server is.
                    await tls.CopyToAsync(Stream.Null);
                },
                host,
                isTrusted ? [_authority] : []);
        }
    }

    private static async Task<TlsReport> TalkAsync(Func<Stream, Task> serve, string host, IReadOnlyList<X509Certificate2> trusted)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var serving = OneClient.ServeAsync(listener, serve);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        var (report, stream) = await TlsTalk.ShakeHandsAsync(new NetworkStream(client), host, trusted, TimeProvider.System, TestContext.Current.CancellationToken);
        if (stream is not null)
        {
            await stream.DisposeAsync();
        }
        client.Close();
        await serving;
        return report;
    }
}
