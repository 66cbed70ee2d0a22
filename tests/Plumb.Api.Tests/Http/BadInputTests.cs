using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Http;

/// <summary>What no client should send: each is told by the Status that a real server gives, and the server goes on.</summary>
public sealed class BadInputTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Unrecognized = "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ";

    private static async Task<JsonNode> RefusedAsync(TestServer server, int code, string message, string method, string path, string? body, string contentType = "application/json")
    {
        var (said, answer) = await server.SendAsync(method, path, body, contentType);
        Assert.Equal((code, message), ((int)said, (string?)answer["message"] ?? answer.ToJsonString()));
        Assert.Equal(("Status", code), ((string)answer["kind"]!, (int)answer["code"]!));
        return answer;
    }

    private static Task<JsonNode> MapAsync(TestServer server, string name) => server.CreateAsync(Maps, $$$"""{"metadata":{"name":"{{{name}}}"},"data":{"a":"b"}}""");

    [Theory]
    [InlineData("""{"metadata":{"name":"a"}""", "unexpected end of JSON input ({\"metadata\":{\"name\":\"a\"})")]
    [InlineData("""{"metadata":{"name":"a"},"data":{"a":"this is""", "unexpected end of JSON input ({\"metadata\":{\"name\":\"a\"},\"data ...)")]
    [InlineData("""{"metadata" "name"}""", "invalid character '\"' after object key ({\"metadata\" \"name\"})")]
    [InlineData("""{"metadata":{},}""", "invalid character '}' looking for beginning of object key string ({\"metadata\":{},})")]
    [InlineData("""{} {}""", "invalid character '{' after top-level value ({} {})")]
    [InlineData("""{"a":01}""", "invalid character '1' after object key:value pair ({\"a\":01})")]
    public async Task Json_that_is_cut_or_broken(string body, string why)
    {
        await using var server = await TestServer.StartAsync();
        var answer = await RefusedAsync(server, 400, Unrecognized + why, "POST", Maps, body);
        Assert.Equal("BadRequest", (string)answer["reason"]!);
    }

    [Theory]
    [InlineData("metadata: {name: a")]
    [InlineData("metadata:\n  name: a\n bad: indent")]
    [InlineData("metadata: *nobody")]
    [InlineData("a: b\na: c\n- d")]
    [InlineData("\t")]
    public async Task Yaml_that_is_cut_or_broken(string body)
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync("POST", Maps, body, "application/yaml");
        Assert.True(code is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity, answer.ToJsonString());
        Assert.Equal("Status", (string)answer["kind"]!);
    }

    [Fact]
    public async Task Yaml_whose_aliases_stand_for_gigabytes()
    {
        await using var server = await TestServer.StartAsync();
        var bomb = new StringBuilder("kind: ConfigMap\napiVersion: v1\nmetadata: {name: bomb}\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 30; i++)
            bomb.Append($"a{i}: &a{i} [").AppendJoin(',', Enumerable.Repeat($"*a{i - 1}", 10)).Append("]\n");
        foreach (var (method, path, type) in ((string, string, string)[])[("POST", Maps, "application/yaml"), ("PATCH", Maps + "/bomb?fieldManager=m", "application/apply-patch+yaml")])
        {
            var (code, answer) = await server.SendAsync(method, path, bomb.ToString(), type);
            Assert.Equal(HttpStatusCode.BadRequest, code);
            Assert.Contains("its aliases stand for more than", (string)answer["message"]!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_no_utf_8_becomes_the_replacement_character()
    {
        await using var server = await TestServer.StartAsync();
        byte[] body = [.. """{"metadata":{"name":"u"},"data":{"bytes":"a"""u8, 0xff, 0xc3, .. """b","half":"\ud800x","other":"\udc00","pair":"\ud83d\ude00","text":"\\ud800"}}"""u8];
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");
        using var answer = await server.Client.PostAsync(Maps, content, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var data = (await server.SendAsync("GET", Maps + "/u")).Body["data"]!;
        Assert.Equal(
            ("a\ufffd\ufffdb", "\ufffdx", "\ufffd", "\U0001f600", "\\ud800"),
            ((string)data["bytes"]!, (string)data["half"]!, (string)data["other"]!, (string)data["pair"]!, (string)data["text"]!));
    }

    [Fact]
    public async Task Members_that_stand_twice_are_told_and_the_last_one_counts()
    {
        await using var server = await TestServer.StartAsync();
        const string twice = """{"metadata":{"name":"d","name":"e"},"data":{"a":"1","a":"2"}}""";
        await RefusedAsync(server, 400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: duplicate field \"metadata.name\", duplicate field \"data.a\"",
            "POST", Maps + "?fieldValidation=Strict", twice);
        using var answer = await server.RawAsync("POST", Maps, twice);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(["299 - \"duplicate field \\\"metadata.name\\\"\"", "299 - \"duplicate field \\\"data.a\\\"\""], answer.Headers.GetValues("Warning"));
        Assert.Equal("2", (string)(await server.SendAsync("GET", Maps + "/e")).Body["data"]!["a"]!);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("DELETE", Maps + "/e", """{"dryRun":["All"],"dryRun":["All"]}""")).Code);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("PATCH", Maps + "/e", """{"data":{"x":"1","x":"2"}}""", "application/merge-patch+json")).Code);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/yaml")]
    public async Task A_body_of_ten_megabytes(string contentType)
    {
        await using var server = await TestServer.StartAsync();
        var body = "{\"metadata\":{\"name\":\"big\"},\"data\":{\"a\":\"" + new string('x', 10 << 20) + "\"}}";
        foreach (var (method, path, type) in ((string, string, string)[])[("POST", Maps, contentType), ("PATCH", Maps + "/big", "application/merge-patch+json")])
        {
            // The client asks before it sends so much.
            using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent(body) };
            request.Content.Headers.ContentType = new(type);
            request.Headers.ExpectContinue = true;
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
            Assert.Equal((413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"), ((int)response.StatusCode, (string)answer["reason"]!, (string)answer["message"]!));
        }
    }

    [Theory]
    [InlineData("POST", Maps, "application/json")]
    [InlineData("POST", Maps, "application/yaml")]
    [InlineData("PATCH", Maps + "/m", "application/merge-patch+json")]
    [InlineData("PATCH", Maps + "/m", "application/json-patch+json")]
    [InlineData("PATCH", Maps + "/m?fieldManager=x", "application/apply-patch+yaml")]
    [InlineData("DELETE", Maps + "/m", "application/json")]
    [InlineData("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "application/json")]
    public async Task What_is_nested_three_thousand_deep(string method, string path, string contentType)
    {
        await using var server = await TestServer.StartAsync();
        await MapAsync(server, "m");
        var deep = new string('[', 3000) + new string(']', 3000);
        var body = contentType.Contains("json-patch", StringComparison.Ordinal) ? $$$"""[{"op":"add","path":"/data/x","value":{{{deep}}}}]""" : $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"x":{{{deep}}}}""";
        var (code, answer) = await server.SendAsync(method, path, body, contentType);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains(contentType == "application/yaml" ? "depth" : "exceeded max depth", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("99999999999999999999", "99999999999999999999")]
    [InlineData("1e400", "1e400")]
    [InlineData("-1e400", "-1e400")]
    [InlineData("1.5", "1.5")]
    [InlineData("2147483648", "2147483648")]
    public async Task Numbers_beyond_all_bounds(string number, string shown)
    {
        await using var server = await TestServer.StartAsync();
        await RefusedAsync(server, 400, $"Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number {shown} into Go struct field Container.spec.containers.ports.containerPort of type int32".Replace("Container.spec", "ContainerPort.spec", StringComparison.Ordinal),
            "POST", Pods, """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":N}]}]}}""".Replace("N}", number + "}", StringComparison.Ordinal));
        foreach (var query in (string[])["limit=99999999999999999999", "timeoutSeconds=99999999999999999999"])
            await RefusedAsync(server, 400, "strconv.ParseInt: parsing \"99999999999999999999\": value out of range", "GET", $"{Pods}?{query}", null);
    }

    [Fact]
    public async Task Numbers_at_the_bounds_are_no_faults_of_the_server()
    {
        await using var server = await TestServer.StartAsync();
        await MapAsync(server, "m");
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", Maps + "?limit=9223372036854775807&timeoutSeconds=9223372036854775807")).Code);
        using (var watch = await server.RawAsync("GET", Maps + "?watch=1&timeoutSeconds=9223372036854775807"))
            Assert.Equal(HttpStatusCode.OK, watch.StatusCode);
        await server.CreateAsync(Pods, """{"metadata":{"name":"p"},"spec":{"nodeName":"n","terminationGracePeriodSeconds":9223372036854775807,"containers":[{"name":"c","image":"i"}]}}""");
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("DELETE", Pods + "/p?gracePeriodSeconds=9223372036854775807")).Code);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("DELETE", Pods + "/p?gracePeriodSeconds=-9223372036854775808")).Code);
    }

    [Fact]
    public async Task Versions_of_the_future_and_of_the_past()
    {
        await using var server = await TestServer.StartAsync();
        await MapAsync(server, "m");
        foreach (var version in (string[])["99999999", "9223372036854775807", "18446744073709551615"])
        {
            var (code, answer) = await server.SendAsync("GET", $"{Maps}?resourceVersion={version}");
            Assert.Equal((HttpStatusCode.GatewayTimeout, "Timeout"), (code, (string)answer["reason"]!));
            Assert.StartsWith($"Timeout: Too large resource version: {version}, current: ", (string)answer["message"]!, StringComparison.Ordinal);
            Assert.Equal("ResourceVersionTooLarge", (string)answer["details"]!["causes"]![0]!["reason"]!);
            using var watch = await server.RawAsync("GET", $"{Maps}?watch=1&timeoutSeconds=1&resourceVersion={version}");
            Assert.Equal((HttpStatusCode.OK, ""), (watch.StatusCode, await watch.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        }

        await RefusedAsync(server, 400, "invalid resource version: resourceVersion: Invalid value: \"-1\": strconv.ParseUint: parsing \"-1\": invalid syntax", "GET", Maps + "?resourceVersion=-1", null);
        server.Api.Store.Compact();
        var (_, list) = await server.SendAsync("GET", Maps);
        using (var watch = await server.RawAsync("GET", Maps + "?watch=1&timeoutSeconds=1&resourceVersion=1"))
        {
            var told = JsonNode.Parse(await watch.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
            Assert.Equal("ERROR", (string)told["type"]!);
            Assert.Equal((410, "Expired"), ((int)told["object"]!["code"]!, (string)told["object"]!["reason"]!));
            Assert.StartsWith("too old resource version: 1 (", (string)told["object"]!["message"]!, StringComparison.Ordinal);
        }

        await RefusedAsync(server, 410, "The resourceVersion for the provided list is too old.", "GET", Maps + "?resourceVersion=2&resourceVersionMatch=Exact", null);
        Assert.NotNull(list["metadata"]!["resourceVersion"]);
    }

    [Theory]
    [InlineData("%%%")]
    [InlineData("zz")]
    [InlineData("YWJj")]
    [InlineData("bnVsbA")]
    [InlineData("WzFd")]
    [InlineData("e30")]
    [InlineData("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6InR3byIsInN0YXJ0IjoiYSJ9")]
    [InlineData("eyJydiI6MWU0MDAsInN0YXJ0IjoiYSJ9")]
    public async Task Continue_tokens_that_are_garbage(string token)
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync("GET", $"{Maps}?limit=1&continue={Uri.EscapeDataString(token)}");
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.StartsWith("invalid continue token: continue key is not valid: ", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_continue_token_of_a_version_that_is_forgotten()
    {
        await using var server = await TestServer.StartAsync();
        for (var i = 0; i < 5; i++)
            await MapAsync(server, $"m{i}");
        var token = (string)(await server.SendAsync("GET", Maps + "?limit=2")).Body["metadata"]!["continue"]!;
        await MapAsync(server, "later");
        server.Api.Store.Compact();
        var (code, answer) = await server.SendAsync("GET", $"{Maps}?limit=2&continue={token}");
        Assert.Equal((HttpStatusCode.Gone, "Expired"), (code, (string)answer["reason"]!));
        Assert.StartsWith("The provided continue parameter is too old to display a consistent list result.", (string)answer["message"]!, StringComparison.Ordinal);

        // The token that comes with the refusal goes on, in the list as it is now.
        var (_, rest) = await server.SendAsync("GET", $"{Maps}?continue={(string)answer["metadata"]!["continue"]!}");
        Assert.Contains("m4", rest["items"]!.AsArray().Select(static item => (string)item!["metadata"]!["name"]!));
    }

    [Theory]
    [InlineData("application/json-patch+json", """[{"op":"remove","path":"/data/none"}]""", 422, "the server rejected our request due to an error in our request")]
    [InlineData("application/json-patch+json", """[{"op":"test","path":"/data/a","value":"x"}]""", 422, "the server rejected our request due to an error in our request")]
    [InlineData("application/json-patch+json", """{"op":"remove"}""", 400, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")]
    [InlineData("application/json-patch+json", """[{"op":"remove","path":"/data""", 400, "error decoding patch: unexpected end of JSON input")]
    [InlineData("application/merge-patch+json", """[1]""", 400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}")]
    [InlineData("application/merge-patch+json", """{"data":""", 400, "error decoding patch: unexpected end of JSON input")]
    [InlineData("application/xml", "<a/>", 415, "415: Unsupported Media Type")]
    public async Task Patches_that_do_not_apply(string contentType, string patch, int code, string message)
    {
        await using var server = await TestServer.StartAsync();
        await MapAsync(server, "m");
        var (said, answer) = await server.SendAsync("PATCH", Maps + "/m", patch, contentType);
        Assert.Equal((code, message), ((int)said, (string?)answer["message"] ?? ""));
        Assert.Equal("""{"a":"b"}""", (await server.SendAsync("GET", Maps + "/m")).Body["data"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","pattern":"("}}}""", 422)]
    [InlineData("""{"type":"object","properties":[]}""", 422)]
    [InlineData("""{"type":"object","properties":{"a":7}}""", 422)]
    [InlineData("""{"type":7}""", 422)]
    [InlineData("""{"type":"object","required":"a"}""", 422)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","items":[]}}}""", 422)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer","default":"x"}}}""", 422)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer","maximum":"x"}}}""", 422)]
    [InlineData("7", 422)]
    public async Task A_definition_with_a_broken_schema(string schema, int code)
    {
        await using var server = await TestServer.StartAsync();
        var (said, answer) = await server.SendAsync("POST", Definitions, """
            {"metadata":{"name":"cups.home.example.com"},"spec":{"group":"home.example.com","scope":"Namespaced","names":{"plural":"cups","kind":"Cup"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":SCHEMA}}]}}
            """.Replace("SCHEMA", schema, StringComparison.Ordinal));
        Assert.True((int)said == code || said == HttpStatusCode.BadRequest, answer.ToJsonString());
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "/apis/home.example.com/v1/cups")).Code);
    }

    [Fact]
    public async Task Ten_thousand_events()
    {
        await using var server = await TestServer.StartAsync();
        const string events = "/api/v1/namespaces/default/events";
        for (var i = 0; i < 10_000; i++)
        {
            server.Api.Registry.Create(GroupResource.Events, "default", new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = $"e{i:D5}" },
                ["involvedObject"] = new JsonObject { ["kind"] = "Pod", ["namespace"] = "default", ["name"] = "p" },
                ["reason"] = "Tested",
                ["message"] = $"event {i}",
            });
        }

        var seen = 0;
        var next = "";
        do
        {
            var (code, page) = await server.SendAsync("GET", $"{events}?limit=500{next}");
            Assert.Equal(HttpStatusCode.OK, code);
            seen += page["items"]!.AsArray().Count;
            next = (string?)page["metadata"]!["continue"] is { } token ? "&continue=" + token : "";
        }
        while (next.Length > 0);
        Assert.Equal(10_000, seen);
        var (_, deleted) = await server.SendAsync("DELETE", events);
        Assert.Equal(10_000, deleted["items"]!.AsArray().Count);
    }
}
