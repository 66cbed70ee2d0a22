using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Access;

public sealed class OpenIdTests
{
    private const string Account = "/api/v1/namespaces/default/serviceaccounts";

    [Fact]
    public async Task A_token_can_be_checked_by_whoever_has_read_the_keys()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Account, """{"metadata":{"name":"robot"}}""");
        var request = await server.CreateAsync(Account + "/robot/token", """{"spec":{"audiences":["elsewhere"]}}""");
        var parts = ((string)request["status"]!["token"]!).Split('.');
        var head = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!;
        var (_, configuration) = await server.SendAsync("GET", "/.well-known/openid-configuration");
        Assert.Equal((string)configuration["issuer"]!, (string)JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!["iss"]!);
        var (_, keys) = await server.SendAsync("GET", new Uri((string)configuration["jwks_uri"]!).AbsolutePath);
        var known = keys["keys"]!.AsArray().Single(key => (string)key!["kid"]! == (string)head["kid"]! && (string)key["alg"]! == (string)head["alg"]!)!;
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Base64Url.DecodeFromChars((string)known["x"]!), Y = Base64Url.DecodeFromChars((string)known["y"]!) },
        });
        var signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        Assert.True(key.VerifyData(signed, Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256));
        signed[^1] ^= 1;
        Assert.False(key.VerifyData(signed, Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256));
    }

    [Fact]
    public async Task A_service_account_may_read_the_keys_and_not_the_metrics()
    {
        await using var server = await TestServer.StartAsync();
        var robot = new Visitor(server, "system:serviceaccount:default:robot");
        Assert.Equal(HttpStatusCode.OK, await robot.SendRawAsync("/openid/v1/jwks"));
        Assert.Equal(HttpStatusCode.OK, await robot.SendRawAsync("/.well-known/openid-configuration"));
        Assert.Equal(HttpStatusCode.Forbidden, await robot.SendRawAsync("/metrics"));
        var (code, metrics) = await server.SendAsync("GET", "/metrics");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Contains("\napiserver_storage_objects{resource=\"namespaces\"} 4\n", metrics.ToString(), StringComparison.Ordinal);
    }
}
