using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Custom;

/// <summary>Rules of a definition, written as those of the Gateway API are, held by its objects over HTTP.</summary>
public sealed class CelRuleTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Doors = "/apis/home.example.com/v1/namespaces/default/doors";

    private const string Schema = """
        {"type":"object","properties":{"spec":{"type":"object",
          "x-kubernetes-validations":[{"rule":"has(self.listeners) || self.mode != 'open'","message":"an open door needs listeners","reason":"FieldValueRequired","fieldPath":".listeners"}],
          "properties":{
            "mode":{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"mode is immutable"}]},
            "timeout":{"type":"string"},
            "listeners":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
              "x-kubernetes-validations":[{"message":"tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']","rule":"self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)"},
                {"rule":"self.all(l1, !has(l1.hostname) || self.exists_one(l2, has(l2.hostname) && l1.hostname == l2.hostname))"}],
              "items":{"type":"object","required":["name","protocol"],"properties":{"name":{"type":"string"},"protocol":{"type":"string"},"hostname":{"type":"string"},"tls":{"type":"object"},
                "port":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 0 && self < 65536","messageExpression":"'no port: ' + string(self)"},{"rule":"self >= oldSelf","message":"ports only grow"}]}} } }}}}}
        """;

    private static async Task<(HttpStatusCode Code, string Message)> DefineAsync(TestServer server, string schema)
    {
        var (code, answer) = await server.SendAsync("POST", Definitions, """
            {"metadata":{"name":"doors.home.example.com"},"spec":{"group":"home.example.com","scope":"Namespaced","names":{"plural":"doors","kind":"Door"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":SCHEMA}}]}}
            """.Replace("SCHEMA", schema, StringComparison.Ordinal));
        return (code, (string?)answer["message"] ?? "");
    }

    private static string Door(string spec) => """{"apiVersion":"home.example.com/v1","kind":"Door","metadata":{"name":"d"},"spec":SPEC}""".Replace("SPEC", spec, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"mode":"open","listeners":[{"name":"a","protocol":"HTTPS","tls":{},"port":443}]}""", "")]
    [InlineData("""{"mode":"shut"}""", "")]
    [InlineData("""{"mode":"open"}""", "spec.listeners: Required value: an open door needs listeners")]
    [InlineData("""{"listeners":[{"name":"a","protocol":"HTTP","tls":{}}]}""", "spec.listeners: Invalid value: \"array\": tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']")]
    [InlineData("""{"listeners":[{"name":"a","protocol":"TLS","hostname":"h"},{"name":"b","protocol":"TLS","hostname":"h"}]}""", "spec.listeners: Invalid value: \"array\": failed rule: self.all(l1, !has(l1.hostname) || self.exists_one(l2, has(l2.hostname) && l1.hostname == l2.hostname))")]
    [InlineData("""{"listeners":[{"name":"a","protocol":"TLS","port":70000}]}""", "spec.listeners[0].port: Invalid value: \"integer\": no port: 70000")]
    [InlineData("""{"timeout":"1s"}""", "spec: Invalid value: \"object\": no such key: mode evaluating rule: has(self.listeners) || self.mode != 'open'")]
    public async Task An_object_is_held_to_the_rules_of_its_definition(string spec, string refusal)
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal((HttpStatusCode.Created, ""), await DefineAsync(server, Schema));
        var (code, answer) = await server.SendAsync("POST", Doors, Door(spec));
        Assert.Equal(refusal.Length == 0 ? "" : $"Door.home.example.com \"d\" is invalid: {refusal}", (string?)answer["message"] ?? "");
        Assert.Equal(refusal.Length == 0 ? HttpStatusCode.Created : HttpStatusCode.UnprocessableEntity, code);
    }

    [Fact]
    public async Task A_change_is_held_to_the_rules_of_changes()
    {
        await using var server = await TestServer.StartAsync();
        await DefineAsync(server, Schema);
        await server.CreateAsync(Doors, Door("""{"mode":"shut","listeners":[{"name":"a","protocol":"TLS","port":10},{"name":"b","protocol":"TLS","port":20}]}"""));
        var (code, answer) = await server.SendAsync("PATCH", Doors + "/d", """{"spec":{"mode":"ajar"}}""", "application/merge-patch+json");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "Door.home.example.com \"d\" is invalid: spec.mode: Invalid value: \"string\": mode is immutable"), (code, (string)answer["message"]!));

        // Items are known by their keys, wherever they stand.
        var turned = """{"spec":{"listeners":[{"name":"b","protocol":"TLS","port":20},{"name":"a","protocol":"TLS","port":11},{"name":"c","protocol":"TLS","port":1}]}}""";
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("PATCH", Doors + "/d", turned, "application/merge-patch+json")).Code);
        (_, answer) = await server.SendAsync("PATCH", Doors + "/d", turned.Replace("11", "9", StringComparison.Ordinal), "application/merge-patch+json");
        Assert.Equal("Door.home.example.com \"d\" is invalid: spec.listeners[1].port: Invalid value: \"integer\": ports only grow", (string)answer["message"]!);
    }

    [Theory]
    [InlineData("self.nope == 1", ".rule: Invalid value: {\"Rule\":\"self.nope == 1\",\"Message\":\"\",\"MessageExpression\":\"\",\"Reason\":null,\"FieldPath\":\"\",\"OptionalOldSelf\":null}: compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope == 1\n | ....^")]
    [InlineData("self.list.all(x, x.no)", "compilation failed: ERROR: <input>:1:19: undefined field 'no'\n | self.list.all(x, x.no)\n | ..................^")]
    [InlineData("math.least(self.a, 1) == 4", "compilation failed: ERROR: <input>:1:1: undeclared reference to 'math' (in container '')\n | math.least(self.a, 1) == 4\n | ^")]
    [InlineData("  ", ".rule: Required value: rule is not specified")]
    public async Task A_rule_that_is_not_understood_is_refused(string rule, string refusal)
    {
        await using var server = await TestServer.StartAsync();
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = JsonNode.Parse("""{"a":{"type":"string"},"list":{"type":"array","items":{"type":"object","properties":{"yes":{"type":"string"}}}}}"""),
            ["x-kubernetes-validations"] = new JsonArray(new JsonObject { ["rule"] = rule }),
        };
        var (code, message) = await DefineAsync(server, schema.ToJsonString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.EndsWith(refusal, message, StringComparison.Ordinal);
        Assert.Contains("spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_value_that_may_be_absent_is_none_where_there_was_none()
    {
        await using var server = await TestServer.StartAsync();
        var rule = "oldSelf.hasValue() ? self >= oldSelf.value() : self == 1";
        Assert.Equal((HttpStatusCode.Created, ""), await DefineAsync(server,
            """{"type":"object","properties":{"spec":{"type":"object","properties":{"n":{"type":"integer","x-kubernetes-validations":[{"rule":"RULE","message":"begins with 1 and grows","optionalOldSelf":true}]}}}}}""".Replace("RULE", rule, StringComparison.Ordinal)));
        const string refusal = "Door.home.example.com \"d\" is invalid: spec.n: Invalid value: \"integer\": begins with 1 and grows";
        Assert.Equal(refusal, (string)(await server.SendAsync("POST", Doors, Door("""{"n":2}"""))).Body["message"]!);
        await server.CreateAsync(Doors, Door("""{"n":1}"""));
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("PATCH", Doors + "/d", """{"spec":{"n":5}}""", "application/merge-patch+json")).Code);
        Assert.Equal(refusal, (string)(await server.SendAsync("PATCH", Doors + "/d", """{"spec":{"n":4}}""", "application/merge-patch+json")).Body["message"]!);
    }

    [Fact]
    public async Task What_was_wrong_before_its_rule_came_stands_as_long_as_it_is_not_changed()
    {
        const string loose = """{"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"list":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"},"n":{"type":"integer"}}}}}}}}""";
        var strict = loose.Replace("\"a\":{\"type\":\"string\"", "\"a\":{\"type\":\"string\",\"maxLength\":3", StringComparison.Ordinal)
            .Replace("\"b\":{\"type\":\"string\"", "\"b\":{\"type\":\"string\",\"x-kubernetes-validations\":[{\"rule\":\"self.startsWith('x')\"}]", StringComparison.Ordinal)
            .Replace("\"n\":{\"type\":\"integer\"", "\"n\":{\"type\":\"integer\",\"maximum\":9", StringComparison.Ordinal);
        await using var server = await TestServer.StartAsync();
        await DefineAsync(server, loose);
        await server.CreateAsync(Doors, Door("""{"a":"long","b":"b","list":[{"k":"one","n":10},{"k":"two","n":20}]}"""));
        var (_, definition) = await server.SendAsync("GET", Definitions + "/doors.home.example.com");
        definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"] = JsonNode.Parse(strict);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("PUT", Definitions + "/doors.home.example.com", definition.ToJsonString())).Code);

        // Items keep their places by their keys; a new one is looked at.
        Task<(HttpStatusCode Code, JsonNode Body)> PatchAsync(string spec) => server.SendAsync("PATCH", Doors + "/d", $$$"""{"spec":{{{spec}}}}""", "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.OK, (await PatchAsync("""{"list":[{"k":"new","n":1},{"k":"two","n":20},{"k":"one","n":10}]}""")).Code);
        Assert.Contains("spec.a: Too long", (string)(await PatchAsync("""{"a":"longer"}""")).Body["message"]!, StringComparison.Ordinal);
        Assert.Contains("spec.b: Invalid value: \"string\": failed rule: self.startsWith('x')", (string)(await PatchAsync("""{"b":"c"}""")).Body["message"]!, StringComparison.Ordinal);
        Assert.Contains("spec.list[0].n: Invalid value: 11", (string)(await PatchAsync("""{"list":[{"k":"one","n":11},{"k":"two","n":20}]}""")).Body["message"]!, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await PatchAsync("""{"a":"abc","b":"x"}""")).Code);
        Assert.Contains("spec.a: Too long", (string)(await PatchAsync("""{"a":"long"}""")).Body["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_costs_no_more_than_it_may()
    {
        await using var server = await TestServer.StartAsync();
        await DefineAsync(server, """{"type":"object","properties":{"spec":{"type":"array","items":{"type":"integer"},"x-kubernetes-validations":[{"rule":"self.all(a, self.all(b, self.all(c, a + b + c > 0)))"}]}}}""");
        var (code, answer) = await server.SendAsync("POST", Doors, Door("[" + string.Join(',', Enumerable.Repeat(1, 500)) + "]"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("actual cost limit exceeded", (string)answer["message"]!, StringComparison.Ordinal);
    }
}
