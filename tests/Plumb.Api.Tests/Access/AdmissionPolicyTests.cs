using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Access;

namespace Plumb.Api.Tests.Access;

/// <summary>ValidatingAdmissionPolicies and their bindings, over HTTP.</summary>
public sealed class AdmissionPolicyTests
{
    private const string Policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    private const string Bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private const string OfMaps = """{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["configmaps"]}""";

    private static async Task<TestServer> WithAsync(string spec, string binding = "\"validationActions\":[\"Deny\"]", string rule = OfMaps, string more = "")
    {
        var server = await TestServer.StartAsync();
        await server.CreateAsync(Policies, """{"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[RULE]MORE},SPEC}}"""
            .Replace("RULE", rule, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal).Replace("SPEC", spec, StringComparison.Ordinal));
        await server.CreateAsync(Bindings, """{"metadata":{"name":"b"},"spec":{"policyName":"p",BINDING}}""".Replace("BINDING", binding, StringComparison.Ordinal));
        return server;
    }

    private static string Map(string name, string color) => $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"color":"{{{{color}}}}"}}}""";

    [Fact]
    public async Task What_a_policy_denies_is_not_written_until_its_binding_is_gone()
    {
        await using var server = await WithAsync("""
            "variables":[{"name":"color","expression":"object.metadata.labels['color']"}],
            "validations":[{"expression":"request.operation == 'DELETE' || variables.color != 'red'","messageExpression":"'no ' + variables.color + ' in ' + namespaceObject.metadata.name"},
              {"expression":"oldObject == null || request.operation != 'DELETE'","message":"it stays","reason":"Forbidden"}]
            """);
        var (code, answer) = await server.SendAsync("POST", Maps, Map("a", "red"));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no red in default"), (code, (string)answer["message"]!));
        await server.CreateAsync(Maps, Map("a", "blue"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await server.SendAsync("PATCH", Maps + "/a", """{"metadata":{"labels":{"color":"red"}}}""", "application/merge-patch+json")).Code);
        await server.CreateAsync("/api/v1/namespaces/default/secrets", Map("a", "red"));
        await server.SendAsync("DELETE", Bindings + "/b");
        await server.CreateAsync(Maps, Map("b", "red"));
    }

    [Fact]
    public async Task What_has_not_changed_is_not_read_again()
    {
        await using var server = await WithAsync("\"validations\":[" + string.Join(',', Enumerable.Range(0, 200).Select(static number => $$"""{"expression":"object.metadata.name != 'forbidden-{{number}}'"}""")) + "]");
        for (var i = 0; i < 9; i++)
            await server.CreateAsync(Bindings, $$$"""{"metadata":{"name":"b{{{i}}}"},"spec":{"policyName":"p","validationActions":["Warn"]}}""");
        var policies = new AdmissionPolicies();
        var whole = Allocated(() => policies.Attach(server.Api.Registry));
        await server.CreateAsync(Bindings, """{"metadata":{"name":"c"},"spec":{"policyName":"p","validationActions":["Warn"]}}""");
        var one = Allocated(policies.Renew);
        Assert.True(one * 10 < whole, $"{one} bytes for one more binding, {whole} for all");

        static long Allocated(Action work)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public async Task What_is_held_is_what_is_stored_however_many_write_at_once()
    {
        const int writers = 32;
        await using var server = await WithAsync("\"validations\":[{\"expression\":\"false\"}]", "\"validationActions\":[\"Warn\"]");
        await server.SendAsync("DELETE", Bindings + "/b");
        for (var round = 0; round < 20; round++)
        {
            // Half of them come while the other half go.
            await Task.WhenAll(Enumerable.Range(0, writers).Select(number => Task.Run(async () =>
            {
                if ((number + round) % 2 == 0)
                    await server.CreateAsync(Bindings, $$$"""{"metadata":{"name":"b{{{number}}}"},"spec":{"policyName":"p","validationActions":["Warn"]}}""");
                else
                    await server.SendAsync("DELETE", $"{Bindings}/b{number}");
            })));
            var (_, stored) = await server.SendAsync("GET", Bindings);
            using var answer = await server.RawAsync("POST", Maps + "?dryRun=All", Map("a", "red"));
            var held = answer.Headers.GetValues("Warning").Select(static said => said.Split("binding '")[1].Split('\'')[0]).Order(StringComparer.Ordinal);
            Assert.Equal(Enumerable.Range(0, writers).Where(number => (number + round) % 2 == 0).Select(static number => $"b{number}").Order(StringComparer.Ordinal), held);
            Assert.Equal(stored["items"]!.AsArray().Select(static one => (string)one!["metadata"]!["name"]!).Order(StringComparer.Ordinal), held);
        }
    }

    [Fact]
    public async Task A_deletion_can_be_denied_too()
    {
        await using var server = await WithAsync("\"validations\":[{\"expression\":\"request.operation != 'DELETE' || oldObject.metadata.name != 'kept'\",\"message\":\"it stays\",\"reason\":\"Forbidden\"}]");
        foreach (var name in (string[])["kept", "other"])
            await server.CreateAsync(Maps, Map(name, "blue"));
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("DELETE", Maps + "/other")).Code);
        var (code, answer) = await server.SendAsync("DELETE", Maps + "/kept");
        Assert.Equal((HttpStatusCode.Forbidden, "Forbidden"), (code, (string)answer["reason"]!));
        Assert.EndsWith("denied request: it stays", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"validationActions\":[\"Warn\"]", HttpStatusCode.Created, "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression: false\"")]
    [InlineData("\"validationActions\":[\"Deny\"],\"matchResources\":{\"namespaceSelector\":{\"matchLabels\":{\"of\":\"nobody\"}}}", HttpStatusCode.Created, "")]
    [InlineData("\"validationActions\":[\"Deny\"],\"matchResources\":{\"objectSelector\":{\"matchLabels\":{\"color\":\"red\"}}}", HttpStatusCode.UnprocessableEntity, "")]
    public async Task A_binding_says_what_follows_and_for_whom(string binding, HttpStatusCode code, string warning)
    {
        await using var server = await WithAsync("\"validations\":[{\"expression\":\"false\"}]", binding);
        using var answer = await server.RawAsync("POST", Maps, Map("a", "red"));
        Assert.Equal(code, answer.StatusCode);
        Assert.Equal(warning, answer.Headers.TryGetValues("Warning", out var said) ? said.Single() : "");
    }

    [Fact]
    public async Task A_variable_may_be_of_any_type_and_tells_why_it_has_no_value()
    {
        await using var server = await WithAsync("""
            "variables":[{"name":"most","expression":"duration('1h')"},{"name":"twice","expression":"variables.most + variables.most"},{"name":"none","expression":"object.nope"}],
            "validations":[{"expression":"[1].all(object, variables.twice == duration('2h')) && !has(variables.other)"},{"expression":"variables.none == 1"}]
            """);
        var (_, answer) = await server.SendAsync("POST", Maps, Map("a", "red"));
        Assert.EndsWith("expression 'variables.none == 1' resulted in error: composited variable \"none\" fails to evaluate: no such key: nope", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Fail", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Ignore", HttpStatusCode.Created)]
    public async Task What_costs_too_much_fails_or_is_passed_over(string policy, HttpStatusCode code)
    {
        const string ten = "[1,2,3,4,5,6,7,8,9,0]";
        await using var server = await WithAsync($$"""
            "failurePolicy":"{{policy}}","variables":[{"name":"v","expression":"{{ten}}.all(a, {{ten}}.all(b, {{ten}}.all(c, {{ten}}.all(d, {{ten}}.all(e, {{ten}}.all(f, true))))))"}],"validations":[{"expression":"variables.v"}]
            """);
        var (answered, answer) = await server.SendAsync("POST", Maps, Map("a", "red"));
        Assert.True(code == answered, answer.ToJsonString());
    }

    [Theory]
    [InlineData("UPDATE", "apps", "deployments/scale", "request.kind.kind == 'Scale' && object.spec.replicas < oldObject.spec.replicas", "PUT", "/apis/apps/v1/namespaces/default/deployments/d/scale",
        """{"metadata":{"name":"d","namespace":"default"},"spec":{"replicas":5}}""")]
    [InlineData("CREATE", "", "pods/binding", "object.target.name != 'n'", "POST", "/api/v1/namespaces/default/pods/p/binding", """{"metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}""")]
    [InlineData("CREATE", "", "pods/eviction", "request.kind.group != 'policy'", "POST", "/api/v1/namespaces/default/pods/p/eviction", """{"metadata":{"name":"p"}}""")]
    [InlineData("CREATE", "", "serviceaccounts/token", "object.spec.expirationSeconds > 7200", "POST", "/api/v1/namespaces/default/serviceaccounts/s/token", """{"spec":{"expirationSeconds":3600}}""")]
    public async Task A_subresource_is_asked_about_as_what_it_is(string operation, string group, string resource, string expression, string method, string path, string body)
    {
        await using var server = await WithAsync($$"""
            "validations":[{"expression":"{{expression}}","message":"not so","reason":"Forbidden"}]
            """, rule: $$"""{"apiGroups":["{{group}}"],"apiVersions":["v1"],"operations":["{{operation}}"],"resources":["{{resource}}"]}""");
        const string pod = "{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}";
        await server.CreateAsync("/apis/apps/v1/namespaces/default/deployments", """{"metadata":{"name":"d"},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":SPEC}}}""".Replace("SPEC", pod, StringComparison.Ordinal));
        await server.CreateAsync("/api/v1/namespaces/default/pods", """{"metadata":{"name":"p"},"spec":SPEC}""".Replace("SPEC", pod, StringComparison.Ordinal));
        await server.CreateAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"s"}}""");
        var (code, answer) = await server.SendAsync(method, path, body);
        Assert.True(code == HttpStatusCode.Forbidden && ((string)answer["message"]!).EndsWith("denied request: not so", StringComparison.Ordinal), answer.ToJsonString());
    }

    [Fact]
    public async Task Whoever_may_not_change_pods_may_still_bind_them()
    {
        await using var server = await WithAsync("\"validations\":[{\"expression\":\"false\"}]", rule: """{"apiGroups":[""],"apiVersions":["v1"],"operations":["UPDATE"],"resources":["pods"]}""");
        await server.CreateAsync("/api/v1/namespaces/default/pods", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}""");
        await server.CreateAsync("/api/v1/namespaces/default/pods/p/binding", """{"metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}""");
    }

    [Fact]
    public async Task Whoever_may_not_delete_pods_may_still_evict_them()
    {
        await using var server = await WithAsync("\"validations\":[{\"expression\":\"false\"}]", rule: """{"apiGroups":[""],"apiVersions":["v1"],"operations":["DELETE","UPDATE"],"resources":["pods","pods/status"]}""");
        await server.CreateAsync("/api/v1/namespaces/default/pods", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await server.SendAsync("DELETE", "/api/v1/namespaces/default/pods/p", null)).Code);
        await server.CreateAsync("/api/v1/namespaces/default/pods/p/eviction", """{"metadata":{"name":"p"}}""");
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "/api/v1/namespaces/default/pods/p", null)).Code);
    }

    [Theory]
    [InlineData("", HttpStatusCode.UnprocessableEntity)]
    [InlineData(",\"matchPolicy\":\"Exact\"", HttpStatusCode.Created)]
    public async Task All_versions_of_a_resource_are_meant_unless_one_is(string more, HttpStatusCode code)
    {
        await using var server = await WithAsync(
            "\"validations\":[{\"expression\":\"false\"}]", rule: """{"apiGroups":["home.example.com"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["lamps"]}""", more: more);
        await server.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Custom.CustomResourceTests.Lamp());
        var (answered, answer) = await server.SendAsync("POST", "/apis/home.example.com/v1beta1/namespaces/default/lamps", """{"apiVersion":"home.example.com/v1beta1","kind":"Lamp","metadata":{"name":"a"},"spec":{"bulbs":1}}""");
        Assert.True(code == answered, answer.ToJsonString());
    }

    [Theory]
    [InlineData("Fail", HttpStatusCode.UnprocessableEntity)]
    [InlineData("Ignore", HttpStatusCode.Created)]
    public async Task What_cannot_be_evaluated_fails_or_is_passed_over(string policy, HttpStatusCode code)
    {
        await using var server = await WithAsync($"\"failurePolicy\":\"{policy}\",\"validations\":[{{\"expression\":\"object.spec.nope == 1\"}}]");
        Assert.Equal(code, (await server.SendAsync("POST", Maps, Map("a", "red"))).Code);
    }

    [Theory]
    [InlineData("\"paramKind\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"},\"validations\":[{\"expression\":\"true\"}]", "spec.paramKind: Forbidden: parameters are not evaluated by this server")]
    [InlineData("\"validations\":[{\"expression\":\"authorizer.path('/')\"}]", "spec.validations[0].expression: Invalid value: \"authorizer.path('/')\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')")]
    [InlineData("\"matchConstraints\":{\"resourceRules\":[{\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"operations\":[\"CONNECT\"],\"resources\":[\"pods\"]}]},\"validations\":[{\"expression\":\"true\"}]", "spec.matchConstraints.resourceRules[0].operations: Forbidden: CONNECT is not asked")]
    [InlineData("\"matchConstraints\":{\"resourceRules\":[{\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"operations\":[\"*\"],\"resources\":[\"pods/exec\"]}]},\"validations\":[{\"expression\":\"true\"}]", "spec.matchConstraints.resourceRules[0].resources: Forbidden: policies are not asked about pods/exec")]
    [InlineData("\"matchConstraints\":{}", "spec.matchConstraints.resourceRules: Required value")]
    public async Task What_is_not_understood_is_refused(string spec, string why)
    {
        await using var server = await TestServer.StartAsync();
        var rules = spec.Contains("matchConstraints", StringComparison.Ordinal) ? "" : """, "matchConstraints":{"resourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*"]}]}""";
        var (code, answer) = await server.SendAsync("POST", Policies, "{\"metadata\":{\"name\":\"p\"},\"spec\":{" + spec + rules + "}}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains(why, (string)answer["message"]!, StringComparison.Ordinal);
    }
}
