using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Access;

/// <summary>What every pod gets of its service account, and tokens that end with their pod.</summary>
public sealed class ServiceAccountAdmissionTests
{
    private const string Home = "/api/v1/namespaces/default";
    private const string Place = "/var/run/secrets/kubernetes.io/serviceaccount";

    private static async Task<TestServer> StartAsync(TimeProvider? time = null)
    {
        var server = await TestServer.StartAsync(time);
        server.Api.Registry.AdmitsServiceAccounts = true;
        return server;
    }

    private static string Pod(string more, string container = "") =>
        """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"CONTAINER}]MORE}}""".Replace("CONTAINER", container, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal);

    [Fact]
    public async Task A_pod_without_an_account_has_the_default_one_and_its_token_in_every_container()
    {
        await using var server = await StartAsync();
        var spec = (await server.CreateAsync(Home + "/pods", """{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"i","image":"i"}],"containers":[{"name":"c","image":"i"},{"name":"d","image":"i"}]}}"""))["spec"]!;
        Assert.Equal(("default", "default"), ((string)spec["serviceAccountName"]!, (string)spec["serviceAccount"]!));
        var volume = Assert.Single(spec["volumes"]!.AsArray())!;
        Assert.Matches("^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$", (string)volume["name"]!);
        Assert.Equal(["serviceAccountToken", "configMap", "downwardAPI"], volume["projected"]!["sources"]!.AsArray().Select(static source => source!.AsObject().Single().Key));
        foreach (var container in spec["initContainers"]!.AsArray().Concat(spec["containers"]!.AsArray()))
        {
            var mount = Assert.Single(container!["volumeMounts"]!.AsArray())!;
            Assert.Equal(((string)volume["name"]!, Place, true), ((string)mount["name"]!, (string)mount["mountPath"]!, (bool)mount["readOnly"]!));
        }

        // Clients change what they may of the pod as it now is.
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("PATCH", Home + "/pods/p", """{"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json")).Code);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(null, false, false)]
    [InlineData(null, true, true)]
    [InlineData(false, true, false)]
    [InlineData(true, false, true)]
    public async Task The_pod_s_word_on_tokens_counts_before_its_account_s(bool? pod, bool? account, bool mounted)
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Home + "/serviceaccounts", """{"metadata":{"name":"a"},"imagePullSecrets":[{"name":"pull"}]""" + Automount(account) + "}");
        var spec = (await server.CreateAsync(Home + "/pods", Pod(",\"serviceAccountName\":\"a\"" + Automount(pod))))["spec"]!;
        Assert.Equal(mounted, spec["volumes"] is not null);
        Assert.Equal(mounted, spec["containers"]![0]!["volumeMounts"] is not null);
        Assert.Equal("""[{"name":"pull"}]""", spec["imagePullSecrets"]!.ToJsonString());
    }

    [Fact]
    public async Task What_is_mounted_there_already_stays()
    {
        await using var server = await StartAsync();
        var spec = (await server.CreateAsync(Home + "/pods", Pod(",\"volumes\":[{\"name\":\"v\",\"emptyDir\":{} }]", $",\"volumeMounts\":[{{\"name\":\"v\",\"mountPath\":\"{Place}\"}}]")))["spec"]!;
        Assert.Equal("v", (string)Assert.Single(spec["volumes"]!.AsArray())!["name"]!);
        Assert.Single(spec["containers"]![0]!["volumeMounts"]!.AsArray());
    }

    [Fact]
    public async Task A_pod_of_an_account_that_is_not_there_is_refused()
    {
        await using var server = await StartAsync();
        var (code, answer) = await server.SendAsync("POST", Home + "/pods", Pod(",\"serviceAccountName\":\"robot\""));
        Assert.Equal((HttpStatusCode.Forbidden, "pods \"p\" is forbidden: error looking up service account default/robot: serviceaccount \"robot\" not found"), (code, (string)answer["message"]!));
        (code, answer) = await server.SendAsync("POST", Home + "/pods", """{"metadata":{"name":"m","annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"serviceAccountName":"default","containers":[{"name":"c","image":"i"}]}}""");
        Assert.Equal((HttpStatusCode.Forbidden, "pods \"m\" is forbidden: a mirror pod may not reference service accounts"), (code, (string)answer["message"]!));
    }

    [Fact]
    public async Task A_token_that_is_bound_to_a_pod_ends_with_it()
    {
        await using var server = await StartAsync();
        var pod = await server.CreateAsync(Home + "/pods", Pod(""));
        var uid = (string)pod["metadata"]!["uid"]!;
        var (code, issued) = await server.SendAsync("POST", Home + "/serviceaccounts/default/token", $$$"""{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p","uid":"{{{uid}}}"} } }""");
        Assert.Equal(HttpStatusCode.Created, code);
        var token = (string)issued["status"]!["token"]!;
        Assert.True(await IsGoodAsync(server, token));
        Assert.Equal(uid, (string)Claims(token)["kubernetes.io"]!["pod"]!["uid"]!);

        await server.SendAsync("DELETE", Home + "/pods/p");
        Assert.False(await IsGoodAsync(server, token));
        await server.CreateAsync(Home + "/pods", Pod(""));
        Assert.False(await IsGoodAsync(server, token));
    }

    [Fact]
    public async Task A_token_tells_which_it_is_and_where_its_pod_runs()
    {
        await using var server = await StartAsync();
        var node = (string)(await server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"n"}}"""))["metadata"]!["uid"]!;
        var pod = (string)(await server.CreateAsync(Home + "/pods", Pod(""","nodeName":"n" """)))["metadata"]!["uid"]!;
        var tokens = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var (_, issued) = await server.SendAsync("POST", Home + "/serviceaccounts/default/token", """{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p"}}}""");
            tokens.Add((string)issued["status"]!["token"]!);
        }

        var (_, review) = await server.SendAsync("POST", "/apis/authentication.k8s.io/v1/tokenreviews", $$$"""{"spec":{"token":"{{{tokens[0]}}}"}}""");
        var extra = review["status"]!["user"]!["extra"]!;
        Assert.Equal(("n", node, "p", pod), ((string?)extra["authentication.kubernetes.io/node-name"]![0], (string?)extra["authentication.kubernetes.io/node-uid"]![0],
            (string?)extra["authentication.kubernetes.io/pod-name"]![0], (string?)extra["authentication.kubernetes.io/pod-uid"]![0]));
        Assert.Equal("JTI=" + (string)Claims(tokens[0])["jti"]!, (string?)extra["authentication.kubernetes.io/credential-id"]![0]);
        Assert.NotEqual((string)Claims(tokens[0])["jti"]!, (string)Claims(tokens[1])["jti"]!);

        // Of the node only is told: the token is the pod's.
        await server.SendAsync("DELETE", "/api/v1/nodes/n");
        Assert.True(await IsGoodAsync(server, tokens[0]));
    }

    [Theory]
    [InlineData("""{"apiVersion":"v1","kind":"Pod","name":"q"}""", 404, "pods \"q\" not found")]
    [InlineData("""{"apiVersion":"v1","kind":"Pod","name":"p","uid":"other"}""", 409, "Operation cannot be fulfilled on Pod \"p\": the UID in the bound object reference (other) does not match the UID in record. The object might have been deleted and then recreated")]
    [InlineData("""{"apiVersion":"apps/v1","kind":"Deployment","name":"d"}""", 400, "cannot bind token to object of type apps/v1, Kind=Deployment")]
    public async Task A_token_is_bound_to_what_is_there(string reference, int code, string message)
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Home + "/pods", Pod(""));
        var (said, answer) = await server.SendAsync("POST", Home + "/serviceaccounts/default/token", """{"spec":{"boundObjectRef":REF}}""".Replace("REF", reference, StringComparison.Ordinal));
        Assert.Equal((code, message), ((int)said, (string)answer["message"]!));
    }

    [Fact]
    public async Task A_token_is_of_the_pod_s_own_account()
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Home + "/pods", Pod(""));
        await server.CreateAsync(Home + "/serviceaccounts", """{"metadata":{"name":"other"}}""");
        var (code, answer) = await server.SendAsync("POST", Home + "/serviceaccounts/other/token", """{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p"}}}""");
        Assert.Equal((HttpStatusCode.BadRequest, "cannot bind token for serviceaccount \"other\" to pod running with different serviceaccount name."), (code, (string)answer["message"]!));
    }

    private static string Automount(bool? said) => said switch { null => "", true => ",\"automountServiceAccountToken\":true", false => ",\"automountServiceAccountToken\":false" };

    private static async Task<bool> IsGoodAsync(TestServer server, string token)
    {
        var (_, review) = await server.SendAsync("POST", "/apis/authentication.k8s.io/v1/tokenreviews", $$$"""{"spec":{"token":"{{{token}}}"} }""");
        return (bool?)review["status"]!["authenticated"] == true;
    }

    private static JsonNode Claims(string token)
    {
        var part = token.Split('.')[1].Replace('-', '+').Replace('_', '/');
        return JsonNode.Parse(Convert.FromBase64String(part.PadRight((part.Length + 3) / 4 * 4, '=')))!;
    }
}
