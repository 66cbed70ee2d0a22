using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Access;

/// <summary>ValidatingAdmissionPolicies and their bindings, over HTTP.</summary>
public sealed class AdmissionPolicyTests
{
    private const string Policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    private const string Bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private static async Task<TestServer> WithAsync(string spec, string binding = "\"validationActions\":[\"Deny\"]")
    {
        var server = await TestServer.StartAsync();
        await server.CreateAsync(Policies, """{"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["configmaps"]}]},SPEC}}""".Replace("SPEC", spec, StringComparison.Ordinal));
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
