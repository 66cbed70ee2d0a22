using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Plumb.Diagnosis.Observe;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Diagnosis.Tests.Observe;

/// <summary>Probes that ask for a URL, of servers in a namespace of their own.</summary>
public sealed class UrlTalkTests
{
    [Fact]
    public async Task An_https_server_with_another_s_certificate_is_asked_all_the_same()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=shop.example", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("shop.example");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var end = await AskAsync(
            new UrlQuestion("website", "/", IsTls: true),
            async stream =>
            {
                await using var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(certificate);
                await AnswerAsync(tls, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
            });
        Assert.Equal((ProbeAnswer.Answered, 503), (end.Answer, end.HttpStatus));
        Assert.Equal(["the certificate is for shop.example, and website was asked for", "shop.example, which signed itself, is no authority that this machine trusts"], end.Tls!.Problems);
    }

    [Theory]
    [InlineData(false, "HTTP/1.1 200 OK\r\n\r\n", 200, null)]
    [InlineData(false, "SSH-2.0-OpenSSH_9.2p1\r\n", null, "the answer is no HTTP")]
    [InlineData(true, "HTTP/1.1 400 Bad Request\r\n\r\n", null, "connected, and then no TLS")]
    public async Task What_is_no_such_server_is_said(bool isTls, string answer, int? status, string? error)
    {
        var end = await AskAsync(new UrlQuestion("website", "/", isTls), stream => AnswerAsync(stream, answer));
        Assert.Equal((ProbeAnswer.Answered, status, error), (end.Answer, end.HttpStatus, end.Error));
    }

    private static async Task AnswerAsync(Stream stream, string answer)
    {
        await stream.ReadAtLeastAsync(new byte[1024], 1, throwOnEndOfStream: false);
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer));
    }

    private static async Task<ProbeEnd> AskAsync(UrlQuestion asked, Func<Stream, Task> serve)
    {
        using var place = NetworkNamespace.Create();
        using (var process = System.Diagnostics.Process.Start("nsenter", [$"--net={place.ProcPath}", "ip", "link", "set", "lo", "up"]))
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        using var listener = place.ListenTcp(new IPEndPoint(IPAddress.Any, 7000));
        var serving = OneClient.ServeAsync(listener, serve);
        var packet = new Packet(IpAddress.Unspecified(IpFamily.V4), IpAddress.Parse("127.0.0.1"), Packet.Tcp) { DestinationPort = 7000, Flags = TcpFlags.Syn };
        ProbeEnd end;
        using (var probe = Probe.Open(place, packet, "unlikely"u8))
        {
            end = await probe.SendAsync(asked, TimeProvider.System, TestContext.Current.CancellationToken);
        }
        await serving;
        return end;
    }
}
