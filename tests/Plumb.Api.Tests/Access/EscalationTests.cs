using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Access;

/// <summary>Nobody makes a role, or a binding to one, that gives more than they have.</summary>
public sealed class EscalationTests
{
    private const string Api = "/apis/rbac.authorization.k8s.io/v1";
    private const string Roles = Api + "/namespaces/default/roles";
    private const string Bindings = Api + "/namespaces/default/rolebindings";
    private const string ReadsPods = """{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}""";
    private const string WritesRoles = """{"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],"verbs":["create","update","patch","get"]}""";
    private const string Held = "user \"eve\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n";

    /// <summary>Eve has these rules in `default`.</summary>
    private static async Task<(TestServer Server, Visitor Eve)> StartAsync(params string[] rules)
    {
        var server = await TestServer.StartAsync();
        await server.CreateAsync(Roles, Role("of-eve", rules));
        await server.CreateAsync(Bindings, Binding("of-eve", "Role", "of-eve", "eve"));
        return (server, new Visitor(server, "eve"));
    }

    private static string Role(string name, params string[] rules) => $$"""{"metadata":{"name":"{{name}}"},"rules":[{{string.Join(',', rules)}}]}""";

    private static string Binding(string name, string kind, string role, string user) =>
        $$"""{"metadata":{"name":"{{name}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{kind}}","name":"{{role}}"},"subjects":[{"kind":"User","name":"{{user}}"}]}""";

    [Theory]
    [InlineData("""{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}""", "")]
    [InlineData("""{"apiGroups":[""],"resources":["pods"],"resourceNames":["p"],"verbs":["list"]}""", "")]
    [InlineData("""{"apiGroups":[""],"resources":["pods"],"verbs":["get","delete","watch"]}""", """{APIGroups:[""], Resources:["pods"], Verbs:["delete" "watch"]}""")]
    [InlineData("""{"apiGroups":["","apps"],"resources":["pods"],"verbs":["get"]}""", """{APIGroups:["apps"], Resources:["pods"], Verbs:["get"]}""")]
    [InlineData("""{"apiGroups":[""],"resources":["*"],"verbs":["*"]}""", """{APIGroups:[""], Resources:["*"], Verbs:["*"]}""")]
    [InlineData("""{"apiGroups":[""],"resources":["pods/exec"],"verbs":["create"]}""", """{APIGroups:[""], Resources:["pods/exec"], Verbs:["create"]}""")]
    [InlineData("""{"apiGroups":[""],"resources":["secrets"],"resourceNames":["s"],"verbs":["get"]}""", """{APIGroups:[""], Resources:["secrets"], ResourceNames:["s"], Verbs:["get"]}""")]
    [InlineData("""{"apiGroups":[""],"resources":["services","nodes"],"verbs":["get"]}""", "{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\"]}\n{APIGroups:[\"\"], Resources:[\"services\"], Verbs:[\"get\"]}")]
    public async Task A_role_gives_no_more_than_its_writer_has(string rule, string missing)
    {
        var (server, eve) = await StartAsync(ReadsPods, WritesRoles);
        await using var _ = server;
        var (code, answer) = await eve.SendAsync("POST", Roles, Role("new", rule));
        if (missing.Length == 0)
        {
            Assert.Equal(HttpStatusCode.Created, code);
            return;
        }

        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Equal($"roles.rbac.authorization.k8s.io \"new\" is forbidden: {Held}{missing}", (string)answer["message"]!);
        Assert.Equal("""{"name":"new","group":"rbac.authorization.k8s.io","kind":"roles"}""", answer["details"]!.ToJsonString());
    }

    [Theory]
    [InlineData("PUT", "application/json")]
    [InlineData("PATCH", "application/merge-patch+json")]
    [InlineData("PATCH", "application/apply-patch+yaml")]
    public async Task Neither_does_one_that_is_changed(string method, string contentType)
    {
        var (server, eve) = await StartAsync(ReadsPods, WritesRoles);
        await using var _ = server;
        await eve.SendAsync("POST", Roles, Role("mine", ReadsPods));
        var body = """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"mine"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}""";
        var query = contentType.Contains("apply", StringComparison.Ordinal) ? "?fieldManager=e&force=true" : "";
        var (code, answer) = await eve.SendAsync(method, $"{Roles}/mine{query}", body, contentType);
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Equal($"roles.rbac.authorization.k8s.io \"mine\" is forbidden: {Held}{{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}}", (string)answer["message"]!);
    }

    [Fact]
    public async Task Who_only_takes_finalizers_away_grants_nothing()
    {
        var (server, eve) = await StartAsync(WritesRoles);
        await using var _ = server;
        await server.CreateAsync(Roles, """{"metadata":{"name":"big","finalizers":["x.io/f"]},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}""");
        Assert.Equal(HttpStatusCode.OK, (await eve.SendAsync("PATCH", Roles + "/big", """{"metadata":{"finalizers":null}}""", "application/merge-patch+json")).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.SendAsync("PATCH", Roles + "/big", """{"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json")).Code);
    }

    [Fact]
    public async Task The_verb_escalate_lets_a_role_give_more()
    {
        var (server, eve) = await StartAsync(WritesRoles, """{"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"],"verbs":["escalate"]}""");
        await using var _ = server;
        Assert.Equal(HttpStatusCode.Created, (await eve.SendAsync("POST", Roles, Role("any", """{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}"""))).Code);

        // For another namespace, and for the cluster, she has nothing.
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.SendAsync("POST", Roles.Replace("default", "kube-system", StringComparison.Ordinal), Role("any", ReadsPods))).Code);
    }

    [Fact]
    public async Task A_binding_gives_no_more_than_its_writer_has_unless_they_may_bind_that_role()
    {
        var (server, eve) = await StartAsync(ReadsPods, WritesRoles, """{"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"resourceNames":["edit"],"verbs":["bind"]}""");
        await using var _ = server;
        await server.CreateAsync(Roles, Role("pods", ReadsPods));
        Assert.Equal(HttpStatusCode.Created, (await eve.SendAsync("POST", Bindings, Binding("a", "Role", "pods", "bob"))).Code);
        Assert.Equal(HttpStatusCode.Created, (await eve.SendAsync("POST", Bindings, Binding("b", "ClusterRole", "edit", "bob"))).Code);
        var (code, answer) = await eve.SendAsync("POST", Bindings, Binding("c", "ClusterRole", "cluster-admin", "bob"));
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Equal(
            $"rolebindings.rbac.authorization.k8s.io \"c\" is forbidden: {Held}{{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}}\n{{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}}", (string)answer["message"]!);
        (code, answer) = await eve.SendAsync("POST", Bindings, Binding("d", "Role", "nothere", "bob"));
        Assert.Equal((HttpStatusCode.NotFound, "roles.rbac.authorization.k8s.io \"nothere\" not found"), (code, (string)answer["message"]!));
    }

    [Fact]
    public async Task Bindings_that_exist_cannot_be_given_to_others_by_who_may_not_bind()
    {
        var (server, eve) = await StartAsync(WritesRoles);
        await using var _ = server;
        await server.CreateAsync(Bindings, Binding("edits", "ClusterRole", "edit", "alice"));
        var (code, answer) = await eve.SendAsync("PATCH", Bindings + "/edits", """{"subjects":[{"kind":"User","name":"eve","apiGroup":"rbac.authorization.k8s.io"}]}""", "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.StartsWith("rolebindings.rbac.authorization.k8s.io \"edits\" is forbidden: " + Held, (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Roles_made_of_others_are_the_administrator_s()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Api + "/clusterroles", """{"metadata":{"name":"w"},"rules":[{"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"verbs":["create"]}]}""");
        await server.CreateAsync(Api + "/clusterrolebindings", Binding("w", "ClusterRole", "w", "eve"));
        var (code, answer) = await new Visitor(server, "eve").SendAsync("POST", Api + "/clusterroles", """{"metadata":{"name":"sum"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}""");
        Assert.Equal((HttpStatusCode.Forbidden, "clusterroles.rbac.authorization.k8s.io \"sum\" is forbidden: must have cluster-admin privileges to use the aggregationRule"), (code, (string)answer["message"]!));
        await server.CreateAsync(Api + "/clusterrolebindings", Binding("all", "ClusterRole", "cluster-admin", "eve"));
        Assert.Equal(HttpStatusCode.Created, (await new Visitor(server, "eve").SendAsync("POST", Api + "/clusterroles", """{"metadata":{"name":"sum"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}""")).Code);
    }

    [Fact]
    public async Task Bindings_to_roles_that_are_gone_are_told_with_the_refusal()
    {
        var (server, eve) = await StartAsync(WritesRoles);
        await using var _ = server;
        await server.CreateAsync(Bindings, Binding("dangling", "Role", "gone", "eve"));
        var (_, answer) = await eve.SendAsync("POST", Roles, Role("new", ReadsPods));
        Assert.EndsWith("; resolution errors: [roles.rbac.authorization.k8s.io \"gone\" not found]", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("default", "default", 201, "")]
    [InlineData("default", "kube-system", 422, "LocalSubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.resourceAttributes.namespace: Invalid value: \"kube-system\": must match metadata.namespace")]
    [InlineData("default", "", 422, "LocalSubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.resourceAttributes.namespace: Invalid value: \"\": must match metadata.namespace")]
    public async Task A_review_of_one_namespace_tells_nothing_of_another(string path, string asked, int code, string message)
    {
        await using var server = await TestServer.StartAsync();
        var (said, answer) = await server.SendAsync("POST", $"/apis/authorization.k8s.io/v1/namespaces/{path}/localsubjectaccessreviews",
            """{"spec":{"user":"eve","resourceAttributes":{"namespace":"NS","verb":"get","resource":"pods"}}}""".Replace("NS", asked, StringComparison.Ordinal));
        Assert.Equal(code, (int)said);
        Assert.Equal(message, (string?)answer["message"] ?? "");
    }

    [Fact]
    public async Task A_review_of_a_namespace_is_not_about_paths()
    {
        await using var server = await TestServer.StartAsync();
        var (_, answer) = await server.SendAsync("POST", "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", """{"spec":{"user":"eve","nonResourceAttributes":{"path":"/x","verb":"get"}}}""");
        Assert.Contains("disallowed on this kind of request", (string)answer["message"]!, StringComparison.Ordinal);
        Assert.IsType<JsonObject>(answer);
    }
}
