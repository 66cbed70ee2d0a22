using System.Net;

namespace Plumb.Api.Tests.Access;

/// <summary>Every verb, asked over HTTP by somebody who has it and by somebody who has all others.</summary>
public sealed class VerbTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Pod = """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}""";
    private const string Roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";

    public static TheoryData<string, string, string, string, string> Requests => new()
    {
        // verb, resource, method, path after the namespace, body
        { "get", "pods", "GET", "pods/p", "" },
        { "list", "pods", "GET", "pods", "" },
        { "watch", "pods", "GET", "pods?watch=1&timeoutSeconds=1", "" },
        { "watch", "pods", "GET", "pods?watch&timeoutSeconds=1", "" },
        { "create", "pods", "POST", "pods", """{"metadata":{"name":"q"},"spec":{"containers":[{"name":"c","image":"i"}]}}""" },
        { "update", "pods", "PUT", "pods/p", Pod },
        { "patch", "pods", "PATCH", "pods/p", """{"metadata":{"labels":{"a":"b"}}}""" },
        { "delete", "pods", "DELETE", "pods/p", "" },
        { "deletecollection", "pods", "DELETE", "pods", "" },
        { "get", "pods/status", "GET", "pods/p/status", "" },
        { "update", "pods/status", "PUT", "pods/p/status", Pod },
        { "patch", "pods/status", "PATCH", "pods/p/status", """{"status":{"phase":"Running"}}""" },
        { "update", "pods/ephemeralcontainers", "PUT", "pods/p/ephemeralcontainers", Pod },
        { "create", "pods/binding", "POST", "pods/p/binding", """{"target":{"name":"n"}}""" },
        { "create", "pods/eviction", "POST", "pods/p/eviction", """{"metadata":{"name":"p"}}""" },
        { "get", "pods/log", "GET", "pods/p/log", "" },
        { "get", "pods/exec", "GET", "pods/p/exec?command=x", "" },
        { "create", "pods/exec", "POST", "pods/p/exec?command=x", "" },
        { "create", "pods/attach", "POST", "pods/p/attach", "" },
        { "create", "pods/portforward", "POST", "pods/p/portforward", "" },
        { "create", "serviceaccounts/token", "POST", "serviceaccounts/a/token", "{}" },
        { "list", "services", "GET", "services", "" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_verb_is_open_to_who_has_it_and_to_nobody_else(string verb, string resource, string method, string path, string body)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"a"}}""");
        await server.CreateAsync(Pods, Pod);
        string[] verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
        await GrantAsync(server, "has", $$"""[{"apiGroups":[""],"resources":["{{resource}}"],"verbs":["{{verb}}"]}]""");
        var others = string.Join(',', verbs.Where(other => other != verb).Select(static other => $"\"{other}\""));
        await GrantAsync(server, "others", $$"""
            [{"apiGroups":[""],"resources":["{{resource}}"],"verbs":[{{others}}]},{"apiGroups":["apps"],"resources":["*"],"verbs":["*"]},{"apiGroups":[""],"resources":["{{resource}}s","{{resource.Split('/')[0]}}/other"],"verbs":["*"]}]
            """);

        path = "/api/v1/namespaces/default/" + path;
        var contentType = method == "PATCH" ? "application/merge-patch+json" : "application/json";
        var (code, answer) = await new Visitor(server, "others").SendAsync(method, path, body.Length > 0 ? body : null, contentType);
        Assert.Equal(HttpStatusCode.Forbidden, code);
        var of = resource.Split('/')[0];
        var named = path.Split('?')[0].Split('/').Length > 6 ? $"{of} \"{path.Split('?')[0].Split('/')[6]}\"" : of;
        Assert.Equal($"{named} is forbidden: User \"others\" cannot {verb} resource \"{resource}\" in API group \"\" in the namespace \"default\"", (string)answer["message"]!);
        (code, answer) = await new Visitor(server, "has").SendAsync(method, path, body.Length > 0 ? body : null, contentType);
        Assert.False(code is HttpStatusCode.Forbidden or HttpStatusCode.InternalServerError, answer.ToJsonString());

        var elsewhere = path.Replace("/default/", "/kube-system/", StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await new Visitor(server, "has").SendAsync(method, elsewhere, body.Length > 0 ? body : null, contentType)).Code);
    }

    /// <summary>What has no verb is open to who has all of them, whatever the server then makes of it.</summary>
    [Theory]
    [InlineData("OPTIONS")]
    [InlineData("PROPFIND")]
    [InlineData("post")]
    [InlineData("Delete")]
    public async Task An_unknown_method_is_no_get(string method)
    {
        await using var server = await TestServer.StartAsync(runtime: new Streaming.HostRuntime());
        await server.CreateAsync(Pods, Pod);
        await GrantAsync(server, "reader", """[{"apiGroups":[""],"resources":["pods","pods/proxy"],"verbs":["get","list","watch"]}]""");
        await GrantAsync(server, "owner", """[{"apiGroups":[""],"resources":["pods","pods/proxy"],"verbs":["*"]}]""");
        foreach (var path in (string[])[Pods, Pods + "/p", Pods + "/p/proxy/x", "/api/v1/watch/namespaces/default/pods"])
        {
            var answer = await server.SayAsync($"{method} {path} HTTP/1.1", "Impersonate-User: reader", "Content-Length: 0");
            Assert.StartsWith("HTTP/1.1 403 ", answer, StringComparison.Ordinal);
            Assert.Contains("User \\\"reader\\\" cannot  resource \\\"pods", answer, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(" 403 ", await server.SayAsync($"{method} {Pods}/p/proxy/x HTTP/1.1", "Impersonate-User: owner", "Content-Length: 0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_patch_may_not_make_what_is_not_there_by_applying()
    {
        await using var server = await TestServer.StartAsync();
        await GrantAsync(server, "eve", """[{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}]""");
        var (code, answer) = await new Visitor(server, "eve").SendAsync(
            "PATCH", "/api/v1/namespaces/default/configmaps/c?fieldManager=m", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}""", "application/apply-patch+yaml");
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Contains("cannot create resource \"configmaps\"", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_for_names_open_those_objects_alone()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Pods, Pod);
        await GrantAsync(server, "eve", """[{"apiGroups":[""],"resources":["pods"],"resourceNames":["p"],"verbs":["*"]}]""");
        var eve = new Visitor(server, "eve");
        Assert.Equal(HttpStatusCode.OK, (await eve.SendAsync("GET", Pods + "/p")).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.SendAsync("GET", Pods + "/q")).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.SendAsync("GET", Pods)).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.SendAsync("POST", Pods, Pod)).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.SendAsync("DELETE", Pods)).Code);
    }

    [Theory]
    [InlineData("/metrics", false)]
    [InlineData("/healthz", true)]
    [InlineData("/version", true)]
    [InlineData("/apis", true)]
    [InlineData("/openapi/v3", true)]
    [InlineData("/", false)]
    public async Task Paths_that_are_no_resources_are_open_by_rules_of_their_own(string path, bool open)
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal(open, (await new Visitor(server, "eve").SendRawAsync(path)) != HttpStatusCode.Forbidden);
    }

    private static async Task GrantAsync(TestServer server, string user, string rules)
    {
        await server.CreateAsync(Roles + "/roles", $$"""{"metadata":{"name":"{{user}}"},"rules":{{rules}}}""");
        await server.CreateAsync(Roles + "/rolebindings", $$"""{"metadata":{"name":"{{user}}"},"roleRef":{"kind":"Role","name":"{{user}}"},"subjects":[{"kind":"User","name":"{{user}}"}]}""");
    }
}
