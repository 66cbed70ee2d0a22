using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Tests.Clients;

/// <summary>A server, or a clock, that is not as it should be: what a client says of it, and when it asks again.</summary>
public sealed class FaultTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task Who_is_asked_to_wait_waits_that_long(int code)
    {
        int asked = 0;
        await using var server = new FakeServer(exchange => ++asked == 1
            ? exchange.AnswerAsync(code, """{"kind":"Status","message":"too many requests"}""", header: "Retry-After: 7")
            : exchange.AnswerAsync(200, """{"metadata":{"resourceVersion":"1"},"items":[]}"""));
        var time = new HurriedTime();
        using var client = new KubernetesClient(new() { Server = server.Address }, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var troubles = new List<Exception>();
        var informer = new Informer<Pod>(client, ListOptions.All, new Random(1)) { OnTrouble = troubles.Add };
        var running = informer.RunAsync(stop.Token);

        await informer.Synced;
        await stop.CancelAsync();
        await running;

        Assert.Equal(TimeSpan.FromSeconds(7), Assert.IsType<ApiException>(troubles[0]).RetryAfter);
        Assert.InRange(time.First.TotalSeconds, 7, 8);
    }

    [Theory]
    [InlineData("{}", "is no list: it has no metadata.resourceVersion")]
    [InlineData("""{"items":[]}""", "is no list: it has no metadata.resourceVersion")]
    [InlineData("<html>\nlog in</html>", "cannot be read: '<' is an invalid start of a value")]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"na""", "cannot be read: ")]
    public async Task What_is_no_list_takes_nothing_away(string body, string line)
    {
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(200, body));
        using var client = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);

        var said = (await Assert.ThrowsAsync<IOException>(() => client.ListAsync<Pod>(cancel: Cancel))).Message;

        Assert.Contains("the API server's answer to GET /api/v1/pods", said, StringComparison.Ordinal);
        Assert.Contains(line, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_for_people_is_told_in_one_line()
    {
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(502, "<html>\n<h1>Bad Gateway</h1>\n</html>", "text/html"));
        using var client = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);

        var refused = await Assert.ThrowsAsync<ApiException>(() => client.ListAsync<Pod>(cancel: Cancel));

        Assert.Equal("the API server answered 502 X with a page for people: a proxy may have answered in its place", refused.Message);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(-60, true)]
    [InlineData(60, true)]
    public async Task A_token_that_is_not_taken_is_named_and_a_clock_that_is_wrong(int minutes, bool isTold)
    {
        var theirs = TimeProvider.System.GetUtcNow().AddMinutes(minutes);
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(401, """{"kind":"Status","code":401,"message":"Unauthorized"}""", header: $"Date: {theirs:R}"));
        using var client = new KubernetesClient(new() { Server = server.Address, Token = "secret" }, TimeProvider.System);

        var refused = await Assert.ThrowsAsync<ApiException>(() => client.ListAsync<Pod>(cancel: Cancel));

        Assert.StartsWith("Unauthorized: the server does not take the token of the kubeconfig", refused.Message, StringComparison.Ordinal);
        Assert.Equal(isTold, refused.Message.Contains($"its clock says {theirs:u} and this machine's ", StringComparison.Ordinal));
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60, "127.0.0.1", "is not valid before ")]
    [InlineData(-60, "127.0.0.1", "was valid until ")]
    [InlineData(0, "127.0.0.2", "is not for the name 127.0.0.1: ask it by a name that it has")]
    [InlineData(null, "127.0.0.1", "is not trusted (")]
    public async Task Why_a_certificate_is_not_believed_is_said(int? minutes, string address, string line)
    {
        using var certificate = Certificate(minutes ?? 0, address);
        using var another = Certificate(0, address);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, certificate);
        var connection = new ClusterConnection
        {
            Server = new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"),
            CertificateAuthority = (minutes is null ? another : certificate).ExportCertificatePem(),
        };
        using var client = new KubernetesClient(connection, TimeProvider.System);

        var failed = await Assert.ThrowsAsync<HttpRequestException>(() => client.ListAsync<Pod>(cancel: Cancel));

        Assert.Contains($"the certificate of the API server at {connection.Server}", failed.Message, StringComparison.Ordinal);
        Assert.Contains(line, failed.Message, StringComparison.Ordinal);
        await serving;
    }

    // Valid for half an hour about a moment so many minutes from now; its own authority.
    private static X509Certificate2 Certificate(int minutes, string address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-apiserver", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        var about = TimeProvider.System.GetUtcNow().AddMinutes(minutes);
        return request.CreateSelfSigned(about.AddMinutes(-30), about.AddMinutes(30));
    }

    private static async Task ServeAsync(TcpListener listener, X509Certificate2 certificate)
    {
        using var client = await listener.AcceptTcpClientAsync(Cancel);
        await using var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Cancel);
            _ = await tls.ReadAsync(new byte[1], Cancel);
        }
        catch (Exception hungUp) when (hungUp is IOException or System.Security.Authentication.AuthenticationException)
        {
            // As it should.
        }
    }

    /// <summary>Waits of less than half a minute are over at once; longer ones are limits that nothing here reaches.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public TimeSpan First { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var isWait = dueTime > TimeSpan.Zero && dueTime < TimeSpan.FromSeconds(30);
            if (isWait && First == TimeSpan.Zero)
                First = dueTime;
            return base.CreateTimer(callback, state, isWait ? TimeSpan.Zero : dueTime, period);
        }
    }
}
