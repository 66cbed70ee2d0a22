using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Plumb.Api.Tests.Http;

public sealed class ServerTests
{
    internal static HttpClient TlsClient(ApiServer server, string? token)
    {
        var authority = X509CertificateLoader.LoadCertificate(X509Certificate2.CreateFromPem(server.AuthorityPem).RawData);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck },
            },
        };
        var client = new HttpClient(handler) { BaseAddress = new Uri($"https://{server.Address}") };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    [Fact]
    public async Task Over_TLS_the_token_is_asked_for_and_the_certificate_is_the_authority_s()
    {
        await using var server = await TestServer.StartAsync();
        using (var known = TlsClient(server.Api, server.Api.Token))
            Assert.Equal(HttpStatusCode.OK, (await known.GetAsync("/api/v1/namespaces", TestContext.Current.CancellationToken)).StatusCode);
        using (var stranger = TlsClient(server.Api, "guess"))
        {
            var answer = await stranger.GetAsync("/api/v1/namespaces", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Contains("\"reason\":\"Unauthorized\"", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        using var anonymous = TlsClient(server.Api, null);
        Assert.Equal("ok", await anonymous.GetStringAsync("/readyz", TestContext.Current.CancellationToken));
        Assert.Contains("\"minor\":\"34\"", await anonymous.GetStringAsync("/version", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await anonymous.GetAsync("/api", TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task A_port_in_use_is_refused_by_name()
    {
        await using var first = await TestServer.StartAsync();
        var options = new ApiServerOptions { Random = new Random(2), Time = TimeProvider.System, Listen = first.Api.Address };
        var refused = await Assert.ThrowsAnyAsync<IOException>(() => ApiServer.StartAsync(options, TestContext.Current.CancellationToken));
        Assert.Contains(first.Api.Address.Port.ToString(), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_cluster_has_its_namespaces_and_the_service_kubernetes()
    {
        await using var server = await TestServer.StartAsync();
        var (_, namespaces) = await server.SendAsync("GET", "/api/v1/namespaces");
        Assert.Equal(["default", "kube-node-lease", "kube-public", "kube-system"], namespaces["items"]!.AsArray().Select(static item => (string)item!["metadata"]!["name"]!));
        var (_, service) = await server.SendAsync("GET", "/api/v1/namespaces/default/services/kubernetes");
        Assert.Equal("10.96.0.1", (string)service["spec"]!["clusterIP"]!);
        var (_, endpoints) = await server.SendAsync("GET", "/api/v1/namespaces/default/endpoints/kubernetes");
        Assert.Equal(16443, (int)endpoints["subsets"]![0]!["ports"]![0]!["port"]!);
    }

    [Fact]
    public async Task Disposing_the_server_ends_its_watches()
    {
        var server = await TestServer.StartAsync();
        using var watch = await server.RawAsync("GET", "/api/v1/pods?watch=true");
        await using var events = await watch.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await server.Api.DisposeAsync();
        try
        {
            Assert.Equal(0, await events.ReadAsync(new byte[16], TestContext.Current.CancellationToken));
        }
        catch (IOException)
        {
            // Cut rather than ended: also an end.
        }

        await server.DisposeAsync();
    }
}
