using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Custom;

public sealed class CustomResourceTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Lamps = "/apis/home.example.com/v1/namespaces/default/lamps";

    internal static string Lamp(string extra = "") => Definition.Replace("+EXTRA+", extra, StringComparison.Ordinal);

    private const string Definition = """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"lamps.home.example.com"},
         "spec":{"group":"home.example.com","scope":"Namespaced","names":{"plural":"lamps","kind":"Lamp","shortNames":["lp"]},
         "versions":[
           {"name":"v1","served":true,"storage":true,
            "subresources":{"status":{},"scale":{"specReplicasPath":".spec.bulbs","statusReplicasPath":".status.lit","labelSelectorPath":".status.selector"}},
            "additionalPrinterColumns":[{"name":"Color","type":"string","jsonPath":".spec.color"},{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},{"name":"Far","type":"integer","jsonPath":".spec.far","priority":1}],
            "schema":{"openAPIV3Schema":{"type":"object","properties":{
              "spec":{"type":"object","required":["bulbs"],"properties":{
                "bulbs":{"type":"integer","minimum":0,"maximum":10},
                "color":{"type":"string","default":"white","enum":["white","red"]},
                "name":{"type":"string","pattern":"^[a-z]+$","maxLength":5},
                "port":{"x-kubernetes-int-or-string":true},
                "one":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"oneOf":[{"required":["a"]},{"required":["b"]}]},
                "parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"size":{"type":"integer","default":1}}}},
                "labels":{"type":"object","additionalProperties":{"type":"string"}},
                "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
              "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}},
           {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}+EXTRA+]}}
        """;

    private static async Task<TestServer> StartAsync()
    {
        var server = await TestServer.StartAsync();
        await server.CreateAsync(Definitions, Lamp());
        return server;
    }

    private static string Spec(string spec) => $$"""{"apiVersion":"home.example.com/v1","kind":"Lamp","metadata":{"name":"a"},"spec":{{spec}}}""";

    [Fact]
    public async Task Defaults_are_filled_in_also_inside_of_lists_and_what_the_schema_has_not_is_dropped_with_a_warning()
    {
        await using var server = await StartAsync();
        using var answer = await server.RawAsync("POST", Lamps, Spec("""{"bulbs":1,"bogus":2,"parts":[{"name":"x","odd":1}],"free":{"any":[1]},"labels":{"k":"v"}}"""));
        Assert.Equal(["""299 - "unknown field \"spec.bogus\"" """.Trim(), """299 - "unknown field \"spec.parts[0].odd\"" """.Trim()], answer.Headers.Warning.Select(static warning => warning.ToString()));
        var lamp = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.True(JsonNode.DeepEquals(lamp["spec"], JsonNode.Parse("""{"bulbs":1,"parts":[{"name":"x","size":1}],"free":{"any":[1]},"labels":{"k":"v"},"color":"white"}""")), lamp.ToJsonString());
    }

    [Fact]
    public async Task What_was_stored_under_another_schema_is_read_by_the_schema_of_now()
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Lamps, Spec("""{"bulbs":1,"labels":{"k":"v"}}"""));
        using var watch = await server.RawAsync("GET", Lamps + "?watch=true&resourceVersion=0");
        using var events = new StreamReader(await watch.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Contains("\"ADDED\"", await events.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var changed = JsonNode.Parse(Lamp())!;
        var spec = changed["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!.AsObject();
        spec["shade"] = JsonNode.Parse("""{"type":"string","default":"paper"}""");
        spec.Remove("labels");
        var (code, answer) = await server.SendAsync("PATCH", Definitions + "/lamps.home.example.com", changed.ToJsonString(), "application/merge-patch+json");
        Assert.True(code == HttpStatusCode.OK, answer.ToJsonString());
        const string wanted = """{"bulbs":1,"color":"white","shade":"paper"}""";
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(wanted), (await server.SendAsync("GET", Lamps + "/a")).Body["spec"]));
        var (_, list) = await server.SendAsync("GET", Lamps);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(wanted), list["items"]![0]!["spec"]));

        // To write what was read is no change of it; and who watched by the old schema begins again.
        (code, answer) = await server.SendAsync("PUT", Lamps + "/a", list["items"]![0]!.ToJsonString());
        Assert.True(code == HttpStatusCode.OK, answer.ToJsonString());
        Assert.Equal(1, (int)answer["metadata"]!["generation"]!);
        Assert.Null(await events.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("""{"bulbs":10}""", "")]
    [InlineData("""{"bulbs":11}""", "spec.bulbs in body should be less than or equal to 10")]
    [InlineData("""{"bulbs":1.5}""", "spec.bulbs in body must be of type integer: \"number\"")]
    [InlineData("""{}""", "spec.bulbs: Required value")]
    [InlineData("""{"bulbs":1,"name":"abcde"}""", "")]
    [InlineData("""{"bulbs":1,"name":"abcdef"}""", "spec.name: Too long: may not be more than 5 bytes")]
    [InlineData("""{"bulbs":1,"name":"A"}""", "spec.name in body should match '^[a-z]+$'")]
    [InlineData("""{"bulbs":1,"color":"blue"}""", "spec.color: Unsupported value: \"blue\": supported values: \"white\", \"red\"")]
    [InlineData("""{"bulbs":1,"port":"http"}""", "")]
    [InlineData("""{"bulbs":1,"port":80}""", "")]
    [InlineData("""{"bulbs":1,"port":true}""", "spec.port in body must be of type integer,string: \"boolean\"")]
    [InlineData("""{"bulbs":1,"one":{"a":"x"}}""", "")]
    [InlineData("""{"bulbs":1,"one":{"a":"x","b":"y"}}""", "spec.one in body must validate one and only one schema (oneOf). Found 2 valid alternatives")]
    [InlineData("""{"bulbs":1,"parts":[{"name":"x"},{"name":"x"}]}""", "spec.parts[1]: Duplicate value: {\"name\":\"x\"}")]
    [InlineData("""{"bulbs":1,"labels":{"k":1}}""", "spec.labels.k in body must be of type string: \"integer\"")]
    public async Task Objects_are_held_against_their_schema(string spec, string refusal)
    {
        await using var server = await StartAsync();
        var (code, answer) = await server.SendAsync("POST", Lamps, Spec(spec));
        Assert.True(refusal.Length == 0 ? code == HttpStatusCode.Created : code == HttpStatusCode.UnprocessableEntity, answer.ToJsonString());
        if (refusal.Length > 0)
            Assert.Contains(refusal, (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_version_shows_the_same_objects_under_its_own_name()
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Lamps.Replace("v1", "v1beta1", StringComparison.Ordinal), """{"apiVersion":"home.example.com/v1beta1","kind":"Lamp","metadata":{"name":"old"},"spec":{"bulbs":2}}""");
        var (_, asNew) = await server.SendAsync("GET", $"{Lamps}/old");
        var (_, asOld) = await server.SendAsync("GET", $"{Lamps.Replace("v1", "v1beta1", StringComparison.Ordinal)}/old");
        Assert.Equal("home.example.com/v1", (string)asNew["apiVersion"]!);
        Assert.Equal("home.example.com/v1beta1", (string)asOld["apiVersion"]!);
        var (_, group) = await server.SendAsync("GET", "/apis/home.example.com");
        Assert.Equal("home.example.com/v1", (string)group["preferredVersion"]!["groupVersion"]!);
        Assert.Equal(["v1", "v1beta1"], group["versions"]!.AsArray().Select(static version => (string)version!["version"]!));
    }

    [Fact]
    public async Task A_second_definition_of_the_same_kind_is_not_accepted_and_not_served()
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Definitions, """
            {"metadata":{"name":"lanterns.home.example.com"},"spec":{"group":"home.example.com","scope":"Cluster","names":{"plural":"lanterns","kind":"Lamp"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}
            """);
        var (_, second) = await server.SendAsync("GET", $"{Definitions}/lanterns.home.example.com");
        var conditions = second["status"]!["conditions"]!.AsArray().Select(static condition => $"{condition!["type"]}={condition["status"]} {condition["reason"]}: {condition["message"]}");
        Assert.Equal(["NamesAccepted=False ListKindConflict: \"LampList\" is already in use", "Established=False NotAccepted: not all names are accepted"], conditions);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "/apis/home.example.com/v1/lanterns")).Code);
    }

    [Theory]
    [InlineData("ingresses", "Gate", "PluralConflict: \"ingresses\" is already in use")]
    [InlineData("gates", "Ingress", "KindConflict: \"Ingress\" is already in use")]
    public async Task A_definition_takes_no_name_of_the_server_s_own(string plural, string kind, string conflict)
    {
        await using var server = await TestServer.StartAsync();
        const string ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
        await server.CreateAsync(ingresses, """{"metadata":{"name":"i"},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}}""");
        await server.CreateAsync(Definitions, $$$"""
            {"metadata":{"name":"{{{plural}}}.networking.k8s.io","annotations":{"api-approved.kubernetes.io":"unapproved"}},
             "spec":{"group":"networking.k8s.io","scope":"Namespaced","names":{"plural":"{{{plural}}}","kind":"{{{kind}}}","singular":"gate","listKind":"Gates"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"} } }]}}
            """);
        var (_, definition) = await server.SendAsync("GET", $"{Definitions}/{plural}.networking.k8s.io");
        var conditions = definition["status"]!["conditions"]!.AsArray().Select(static condition => $"{condition!["type"]}={condition["status"]} {condition["reason"]}: {condition["message"]}");
        Assert.Equal([$"NamesAccepted=False {conflict}", "Established=False NotAccepted: not all names are accepted"], conditions);
        Assert.Equal("Ingress", (string)(await server.SendAsync("GET", ingresses + "/i")).Body["kind"]!);

        // And it goes without what it did not define.
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("DELETE", $"{Definitions}/{plural}.networking.k8s.io")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", $"{Definitions}/{plural}.networking.k8s.io")).Code);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", ingresses + "/i")).Code);
    }

    [Theory]
    [InlineData("""subresources":{"scale":{}}""", "[spec.subresources.scale.specReplicasPath: Required value, spec.subresources.scale.statusReplicasPath: Required value]")]
    [InlineData("""subresources":{"scale":{"specReplicasPath":"spec","statusReplicasPath":".status.n"}}""", "spec.subresources.scale.specReplicasPath: Invalid value: \"spec\": must be a simple json path starting with .")]
    [InlineData("""subresources":{"scale":{"specReplicasPath":".spec","statusReplicasPath":".spec.n"}}""", "[spec.subresources.scale.specReplicasPath: Invalid value: \".spec\": should be a json path under .spec, spec.subresources.scale.statusReplicasPath: Invalid value: \".spec.n\": should be a json path under .status]")]
    [InlineData("""subresources":{"scale":{"specReplicasPath":".spec.n","statusReplicasPath":".status.n","labelSelectorPath":".metadata.labels"}}""", "spec.subresources.scale.labelSelectorPath: Invalid value: \".metadata.labels\": should be a json path under either .spec or .status")]
    [InlineData("""additionalPrinterColumns":[{"name":"A","type":"text","jsonPath":"x"}]""", "[spec.additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string, spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"x\": must be a simple json path starting with .]")]
    [InlineData("""additionalPrinterColumns":[{"type":"date","format":"f"}]""", "[spec.additionalPrinterColumns[0].name: Required value, spec.additionalPrinterColumns[0].format: Invalid value: \"f\": must be one of byte,date,date-time,double,float,int32,int64,password, spec.additionalPrinterColumns[0].JSONPath: Required value]")]
    public async Task Paths_of_scales_and_columns_are_looked_at_when_they_are_defined(string part, string refusal)
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync("POST", Definitions, $$$"""
            {"metadata":{"name":"cups.home.example.com"},"spec":{"group":"home.example.com","scope":"Namespaced","names":{"plural":"cups","kind":"Cup"},
             "versions":[{"name":"v1","served":true,"storage":true,"{{{part}}},"schema":{"openAPIV3Schema":{"type":"object"} } }]}}
            """);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Equal($"CustomResourceDefinition.apiextensions.k8s.io \"cups.home.example.com\" is invalid: {refusal}", (string)answer["message"]!);
    }

    [Theory]
    [InlineData("""{"n":{"of":"three"}}""", ".spec.n.of: Invalid value: 0: .spec.n.of accessor error: three is of the type string, expected int64")]
    [InlineData("""{"n":7}""", ".spec.n.of: Invalid value: 0: .spec.n.of accessor error: 7 is of the type int64, expected map[string]interface{}")]
    [InlineData("""{"n":{"of":-1}}""", ".spec.n.of: Invalid value: -1: should be a non-negative integer")]
    [InlineData("""{"n":{"of":2147483648}}""", ".spec.n.of: Invalid value: 2147483648: should be less than or equal to 2147483647")]
    public async Task What_a_scale_cannot_show_is_refused(string spec, string refusal)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Definitions, """
            {"metadata":{"name":"cups.home.example.com"},"spec":{"group":"home.example.com","scope":"Namespaced","names":{"plural":"cups","kind":"Cup"},
             "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"scale":{"specReplicasPath":".spec.n.of","statusReplicasPath":".status.n"}},
              "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}
            """);
        const string cups = "/apis/home.example.com/v1/namespaces/default/cups";
        var (code, answer) = await server.SendAsync("POST", cups, $$"""{"apiVersion":"home.example.com/v1","kind":"Cup","metadata":{"name":"c"},"spec":{{spec}}}""");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, $"Cup.home.example.com \"c\" is invalid: {refusal}"), (code, (string)answer["message"]!));

        await server.CreateAsync(cups, """{"apiVersion":"home.example.com/v1","kind":"Cup","metadata":{"name":"none"}}""");
        var (scaled, scale) = await server.SendAsync("PATCH", cups + "/none/scale", """{"spec":{"replicas":3}}""", "application/merge-patch+json");
        Assert.True(scaled == HttpStatusCode.OK, scale.ToJsonString());
        Assert.Equal("""{"n":{"of":3}}""", (await server.SendAsync("GET", cups + "/none")).Body["spec"]!.ToJsonString());
    }

    [Fact]
    public async Task A_definition_goes_after_its_objects_and_waits_for_their_finalizers()
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Lamps, Spec("""{"bulbs":1}"""));
        await server.CreateAsync(Lamps, """{"metadata":{"name":"held","finalizers":["x.io/f"]},"spec":{"bulbs":1}}""");
        await server.SendAsync("DELETE", $"{Definitions}/lamps.home.example.com");
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", $"{Lamps}/a")).Code);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", $"{Definitions}/lamps.home.example.com")).Code);
        await server.SendAsync("PATCH", $"{Lamps}/held", """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", $"{Definitions}/lamps.home.example.com")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "/apis/home.example.com")).Code);
    }

    [Fact]
    public async Task The_status_has_a_writer_of_its_own_and_only_the_spec_counts_generations()
    {
        await using var server = await StartAsync();
        await server.CreateAsync(Lamps, Spec("""{"bulbs":1}"""));
        var (_, status) = await server.SendAsync("PATCH", $"{Lamps}/a/status", """{"spec":{"bulbs":9},"status":{"lit":1}}""", "application/merge-patch+json");
        Assert.Equal(1, (int)status["spec"]!["bulbs"]!);
        Assert.Equal(1, (int)status["metadata"]!["generation"]!);
        var (_, spec) = await server.SendAsync("PATCH", $"{Lamps}/a", """{"spec":{"bulbs":9},"status":{"lit":5}}""", "application/merge-patch+json");
        Assert.Equal(1, (int)spec["status"]!["lit"]!);
        Assert.Equal(2, (int)spec["metadata"]!["generation"]!);
    }

    [Fact]
    public async Task Rules_in_CEL_are_refused_by_name()
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync("POST", Definitions, Lamp(extra: """,{"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-validations":[{"rule":"math.least(self) == 1"}]}}}"""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("spec.versions[2].schema.openAPIV3Schema.x-kubernetes-validations[0].rule: Invalid value: ", (string)answer["message"]!, StringComparison.Ordinal);
    }
}
