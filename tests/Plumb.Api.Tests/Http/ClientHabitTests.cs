using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Http;

/// <summary>What programs for a real server count on, and say nowhere.</summary>
public sealed class ClientHabitTests
{
    private const string Default = "/api/v1/namespaces/default";
    private const string Deployments = "/apis/apps/v1/namespaces/default/deployments";

    private static async Task<string[]> NamesAsync(TestServer server, string path)
    {
        var (code, list) = await server.SendAsync("GET", path);
        Assert.True(code == HttpStatusCode.OK, list.ToJsonString());
        return [.. list["items"]!.AsArray().Select(static item => (string)item!["metadata"]!["name"]!)];
    }

    [Theory]
    [InlineData("spec.unschedulable=false", new[] { "open" })]
    [InlineData("spec.unschedulable=true", new[] { "shut" })]
    [InlineData("spec.unschedulable!=true", new[] { "open" })]
    public async Task A_flag_that_is_not_set_is_false_to_a_selector(string selector, string[] names)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"open"}}""");
        await server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"shut"},"spec":{"unschedulable":true}}""");
        Assert.Equal(names, await NamesAsync(server, "/api/v1/nodes?fieldSelector=" + selector));
    }

    [Fact]
    public async Task A_count_that_is_not_there_is_zero_to_a_selector()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync("/apis/batch/v1/namespaces/default/jobs", """{"metadata":{"name":"j"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}""");
        Assert.Equal(["j"], await NamesAsync(server, "/apis/batch/v1/namespaces/default/jobs?fieldSelector=status.successful=0"));
        Assert.Empty(await NamesAsync(server, "/apis/batch/v1/namespaces/default/jobs?fieldSelector=status.successful=1"));
    }

    [Theory]
    [InlineData(Default + "/events?fieldSelector=source=me", new[] { "new" })]
    [InlineData(Default + "/events?fieldSelector=source=kubelet", new[] { "old" })]
    [InlineData(Default + "/events?fieldSelector=reportingComponent=me", new[] { "new" })]
    [InlineData("/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=reportingController=me", new[] { "new" })]
    [InlineData("/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.kind=Pod", new[] { "new", "old" })]
    public async Task Events_are_found_by_who_tells_them_in_either_group_s_words(string path, string[] names)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Default + "/events", """{"metadata":{"name":"old"},"involvedObject":{"kind":"Pod","namespace":"default"},"source":{"component":"kubelet"}}""");
        await server.CreateAsync("/apis/events.k8s.io/v1/namespaces/default/events", """
            {"metadata":{"name":"new"},"regarding":{"kind":"Pod","namespace":"default"},"reportingController":"me","reportingInstance":"me-1","action":"a","reason":"r","type":"Normal","eventTime":"2026-11-01T02:03:04.000005Z"}
            """);
        Assert.Equal(names, await NamesAsync(server, path));
    }

    [Theory]
    [InlineData("/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=source=me", "field label not supported: source")]
    [InlineData(Default + "/events?fieldSelector=reportingController=me", "field label not supported: reportingController")]
    public async Task And_not_by_the_other_group_s(string path, string message)
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync("GET", path);
        Assert.Equal((HttpStatusCode.BadRequest, true), (code, ((string)answer["message"]!).Contains(message, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Who_writes_a_status_writes_labels_and_annotations_with_it()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Default + "/services", """{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}""");
        await server.CreateAsync(Deployments, """{"metadata":{"name":"d","labels":{"a":"b"}},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""");
        const string patch = """{"metadata":{"labels":{"x":"y"},"annotations":{"seen":"true"}},"spec":{"externalName":"no"},"status":{"observedGeneration":1}}""";
        foreach (var (path, labels) in new[] { (Default + "/services/s", true), (Deployments + "/d", false) })
        {
            var (code, answer) = await server.SendAsync("PATCH", path + "/status", patch, "application/merge-patch+json");
            Assert.True(code == HttpStatusCode.OK, answer.ToJsonString());
            Assert.Equal("true", (string?)answer["metadata"]!["annotations"]!["seen"]);
            Assert.Equal(labels ? "y" : null, (string?)answer["metadata"]!["labels"]?["x"]);
            Assert.Null(answer["spec"]!["externalName"]);
        }

        var (removed, service) = await server.SendAsync("PATCH", Default + "/services/s/status", """[{"op":"remove","path":"/metadata/annotations/seen"},{"op":"remove","path":"/metadata/labels"}]""", "application/json-patch+json");
        Assert.True(removed == HttpStatusCode.OK, service.ToJsonString());
        Assert.Null(service["metadata"]!["labels"]);
        Assert.Null(service["metadata"]!["annotations"]?["seen"]);
    }

    [Fact]
    public async Task An_answer_that_is_no_object_of_a_list_is_no_table()
    {
        await using var server = await TestServer.StartAsync();
        using var answer = await server.RawAsync("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", """{"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}}""",
            accept: "application/json;as=Table;v=v1;g=meta.k8s.io");
        Assert.Equal(HttpStatusCode.NotAcceptable, answer.StatusCode);
    }

    [Fact]
    public async Task What_is_unknown_and_what_is_said_twice_is_told_in_the_order_of_the_text()
    {
        await using var server = await TestServer.StartAsync();
        var (_, answer) = await server.SendAsync("POST", Default + "/services?fieldValidation=Strict",
            """{"metadata":{"name":"s"},"spec":{"odd":1,"type":"NodePort","type":"ClusterIP","ports":[{"port":80,"odder":2}]}}""");
        Assert.EndsWith("strict decoding error: unknown field \"spec.odd\", duplicate field \"spec.type\", unknown field \"spec.ports[0].odder\"", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_YAML_says_twice_is_refused_with_its_line()
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync("POST", Default + "/configmaps", "metadata:\n  name: m\ndata:\n  foo: a\n  foo: b\n", "application/yaml");
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains("yaml: unmarshal errors:\n  line 5: key \"foo\" already set in map", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_of_pods_is_kept_as_it_would_be_run()
    {
        await using var server = await TestServer.StartAsync();
        var made = await server.CreateAsync(Default + "/podtemplates", """{"metadata":{"name":"t"},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}""");
        Assert.Equal("Always", (string?)made["template"]!["spec"]!["restartPolicy"]);
        var (code, refused) = await server.SendAsync("POST", Default + "/podtemplates", """{"metadata":{"name":"u"},"template":{"spec":{"containers":[{"name":"c"}]}}}""");
        Assert.Equal((HttpStatusCode)422, code);
        Assert.Contains("template.spec.containers[0].image", (string)refused["message"]!, StringComparison.Ordinal);
        var (_, table) = await server.SendAsync("GET", Default + "/podtemplates", accept: "application/json;as=Table;v=v1;g=meta.k8s.io");
        Assert.Equal("[\"t\",\"c\",\"nginx\",\"a=b\"]", table["rows"]![0]!["cells"]!.ToJsonString());
    }
}
