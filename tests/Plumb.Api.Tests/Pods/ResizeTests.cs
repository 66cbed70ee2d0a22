using System.Net;

namespace Plumb.Api.Tests.Pods;

/// <summary>The subresource `resize` of pods, in the words of a real server.</summary>
public sealed class ResizeTests
{
    private const string Path = "/api/v1/namespaces/default/pods/p/resize";
    private const string Strategic = "application/strategic-merge-patch+json";

    private const string Spec = """
        {"initContainers":[{"name":"once","image":"i:1","resources":{"requests":{"cpu":"1m"}}},{"name":"side","image":"i:1","restartPolicy":"Always","resources":{"requests":{"cpu":"10m"}}}],
         "containers":[{"name":"a","image":"i:1","resources":{"requests":{"cpu":"100m","memory":"32Mi"},"limits":{"cpu":"200m","memory":"64Mi"}}},{"name":"b","image":"i:1"}]}
        """;

    private static async Task<TestServer> WithPodAsync(string spec = Spec)
    {
        var server = await TestServer.StartAsync();
        await server.CreateAsync("/api/v1/namespaces/default/pods", $$"""{"metadata":{"name":"p"},"spec":{{spec}}}""");
        return server;
    }

    [Fact]
    public async Task Processors_and_memory_of_containers_and_side_cars_change_and_nothing_else_of_the_pod()
    {
        await using var server = await WithPodAsync();
        var (code, pod) = await server.SendAsync(
            "PATCH",
            Path + "?fieldManager=me",
            """
            {"metadata":{"labels":{"a":"b"}},"spec":{"activeDeadlineSeconds":9,"containers":[{"name":"a","image":"other","resources":{"requests":{"cpu":"0.15"},"limits":{"memory":"128Mi"}}},{"name":"b","resources":{"limits":{"cpu":"1"}}}],
             "initContainers":[{"name":"side","resources":{"requests":{"cpu":"20m"}}}]}}
            """,
            Strategic);
        Assert.True(code == HttpStatusCode.OK, pod.ToJsonString());
        Assert.Equal((2, null, null), ((int)pod["metadata"]!["generation"]!, pod["metadata"]!["labels"], pod["spec"]!["activeDeadlineSeconds"]));
        var (a, b) = (pod["spec"]!["containers"]![0]!, pod["spec"]!["containers"]![1]!);
        Assert.Equal("i:1", (string)a["image"]!);
        Assert.Equal("""{"requests":{"cpu":"150m","memory":"32Mi"},"limits":{"cpu":"200m","memory":"128Mi"}}""", a["resources"]!.ToJsonString());
        Assert.Equal("""{"limits":{"cpu":"1"},"requests":{"cpu":"1"}}""", b["resources"]!.ToJsonString());
        Assert.Equal("20m", (string)pod["spec"]!["initContainers"]![1]!["resources"]!["requests"]!["cpu"]!);
        var owner = pod["metadata"]!["managedFields"]!.AsArray().Single(static one => (string?)one!["manager"] == "me")!;
        Assert.Equal(("resize", "Update"), ((string)owner["subresource"]!, (string)owner["operation"]!));
        var (read, same) = await server.SendAsync("GET", Path);
        Assert.Equal((HttpStatusCode.OK, pod.ToJsonString()), (read, same.ToJsonString()));

        // The same again is no other pod; an update says it whole.
        var (put, again) = await server.SendAsync("PUT", Path, pod.ToJsonString());
        Assert.Equal((HttpStatusCode.OK, 2), (put, (int)again["metadata"]!["generation"]!));
        pod["spec"]!["containers"]![0]!["resources"]!["limits"]!["cpu"] = "300m";
        (put, again) = await server.SendAsync("PUT", Path, pod.ToJsonString());
        Assert.Equal((HttpStatusCode.OK, 3, "300m"), (put, (int)again["metadata"]!["generation"]!, (string)again["spec"]!["containers"]![0]!["resources"]!["limits"]!["cpu"]!));
    }

    [Fact]
    public async Task An_apply_says_the_amounts_and_owns_them()
    {
        await using var server = await WithPodAsync();
        var (code, pod) = await server.SendAsync(
            "PATCH",
            Path + "?fieldManager=me&force=true",
            """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"other","resources":{"limits":{"memory":"96Mi"}}}]}}""",
            "application/apply-patch+yaml");
        Assert.True(code == HttpStatusCode.OK, pod.ToJsonString());
        Assert.Equal(("96Mi", "i:1"), ((string)pod["spec"]!["containers"]![0]!["resources"]!["limits"]!["memory"]!, (string)pod["spec"]!["containers"]![0]!["image"]!));
        var owner = pod["metadata"]!["managedFields"]!.AsArray().Single(static one => (string?)one!["manager"] == "me")!;
        Assert.Equal(("resize", "Apply"), ((string)owner["subresource"]!, (string)owner["operation"]!));
        Assert.DoesNotContain("f:image", owner["fieldsV1"]!.ToJsonString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string, string> Refusals => new()
    {
        { Spec, Strategic, """{"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"300m"}}}]}}""", "spec.containers[0].resources.requests: Invalid value: \"300m\": must be less than or equal to cpu limit of 200m" },
        { Spec, Strategic, """{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":null}}}]}}""", "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed" },
        { Spec, Strategic, """{"spec":{"containers":[{"name":"a","resources":{"requests":{"ephemeral-storage":"1Gi"}}}]}}""", "spec: Forbidden: only cpu and memory resources are mutable" },
        { Spec, Strategic, """{"spec":{"containers":[{"name":"a","resizePolicy":[{"resourceName":"cpu","restartPolicy":"RestartContainer"}]}]}}""", "spec: Forbidden: only cpu and memory resources are mutable" },
        { Spec, Strategic, """{"spec":{"initContainers":[{"name":"once","resources":{"requests":{"cpu":"2m"}}}]}}""", "spec: Forbidden: resources for non-sidecar init containers are immutable" },
        { Spec, Strategic, """{"spec":{"initContainers":[{"name":"side","resources":{"requests":{"ephemeral-storage":"1Gi"}}}]}}""", "spec: Forbidden: only cpu and memory resources for sidecar containers are mutable" },
        { Spec, Strategic, """{"spec":{"containers":[{"name":"new","image":"i:1"}]}}""", "spec.containers: Forbidden: containers may not be added or removed on resize" },
        { Spec, "application/json-patch+json", """[{"op":"replace","path":"/spec/containers/1/name","value":"c"}]""", "spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize" },
        { """{"containers":[{"name":"a","image":"i:1"}]}""", Strategic, """{"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"1m"}}}]}}""", "spec: Invalid value: \"BestEffort\": Pod QOS Class may not change as a result of resizing" },
        { """{"os":{"name":"windows"},"containers":[{"name":"a","image":"i:1"}]}""", Strategic, """{"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"1m"}}}]}}""", "[]: Forbidden: windows pods cannot be resized" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_may_not_change_is_refused_in_a_real_servers_words(string spec, string contentType, string patch, string fault)
    {
        await using var server = await WithPodAsync(spec);
        var (code, answer) = await server.SendAsync("PATCH", Path, patch, contentType);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, $"Pod \"p\" is invalid: {fault}"), (code, (string)answer["message"]!));
        var (_, pod) = await server.SendAsync("GET", Path);
        Assert.Equal(1, (int)pod["metadata"]!["generation"]!);
    }

    [Fact]
    public async Task A_node_that_does_not_say_what_its_containers_have_cannot_change_it()
    {
        await using var server = await WithPodAsync();
        const string status = """{"status":{"containerStatuses":[{"name":"a","image":"i:1","imageID":"","ready":true,"restartCount":0,"state":{"running":{}},"lastState":{}}]}}""";
        await server.SendAsync("PATCH", "/api/v1/namespaces/default/pods/p/status", status, Strategic);
        const string patch = """{"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"50m"}}}]}}""";
        var (code, answer) = await server.SendAsync("PATCH", Path, patch, Strategic);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "Pod \"p\" is invalid: spec: Forbidden: Pod running on node without support for resize"), (code, (string)answer["message"]!));
        await server.SendAsync("PATCH", "/api/v1/namespaces/default/pods/p/status", status.Replace("\"state\"", "\"resources\":{},\"state\"", StringComparison.Ordinal), Strategic);
        (code, _) = await server.SendAsync("PATCH", Path, patch, Strategic);
        Assert.Equal(HttpStatusCode.OK, code);
    }

    [Fact]
    public async Task The_pod_itself_takes_no_other_resources()
    {
        await using var server = await WithPodAsync();
        var (code, answer) = await server.SendAsync("PATCH", "/api/v1/namespaces/default/pods/p", """{"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"50m"}}}]}}""", Strategic);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.StartsWith("Pod \"p\" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`", (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Always", """{"resourceName":"cpu","restartPolicy":"RestartContainer"}""", null)]
    [InlineData("Never", """{"resourceName":"cpu","restartPolicy":"NotRequired"}""", null)]
    [InlineData("Never", """{"resourceName":"cpu","restartPolicy":"RestartContainer"}""", "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'")]
    [InlineData("Always", """{"resourceName":"disk","restartPolicy":"NotRequired"}""", "spec.containers[0].resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\"")]
    [InlineData("Always", """{"resourceName":"cpu","restartPolicy":"Maybe"}""", "spec.containers[0].resizePolicy: Unsupported value: \"Maybe\": supported values: \"NotRequired\", \"RestartContainer\"")]
    [InlineData("Always", """{"resourceName":"cpu","restartPolicy":"NotRequired"},{"resourceName":"cpu","restartPolicy":"NotRequired"}""", "spec.containers[0].resizePolicy[1]: Duplicate value: \"cpu\"")]
    public async Task A_policy_of_resizing_names_a_resource_once(string restart, string policies, string? fault)
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync(
            "POST", "/api/v1/namespaces/default/pods", $$$"""{"metadata":{"name":"p"},"spec":{"restartPolicy":"{{{restart}}}","containers":[{"name":"a","image":"i:1","resizePolicy":[{{{policies}}}]}]}}""");
        Assert.Equal(fault is null ? HttpStatusCode.Created : HttpStatusCode.UnprocessableEntity, code);
        if (fault is not null)
            Assert.Equal($"Pod \"p\" is invalid: {fault}", (string)answer["message"]!);
    }
}
