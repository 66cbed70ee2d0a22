using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Controllers;

/// <summary>Budgets are counted by their controller and held by evictions, over HTTP.</summary>
public sealed class DisruptionTests
{
    private const string Budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    private const string Refusal = "Cannot evict pod as it would violate the pod's disruption budget.";

    private static async Task<JsonNode> StatusAsync(TestServer server, Func<JsonNode, bool> isSo, string name = "b")
    {
        while (true)
        {
            var (_, budget) = await server.SendAsync("GET", $"{Budgets}/{name}");
            if (budget["status"] is { } status && (long?)status["observedGeneration"] == (long?)budget["metadata"]!["generation"] && isSo(status))
                return status;
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    private static string Budget(string spec) => $$$"""{"metadata":{"name":"b"},"spec":{"selector":{"matchLabels":{"app":"web"}},{{{spec}}}}}""";

    private static async Task<List<string>> PodsAsync(TestServer server)
    {
        var (_, list) = await server.SendAsync("GET", "/api/v1/namespaces/default/pods?labelSelector=app%3Dweb");
        return [.. list["items"]!.AsArray().Where(static pod => pod!["metadata"]!["deletionTimestamp"] is null).Select(static pod => (string)pod!["metadata"]!["name"]!)];
    }

    private static async Task<(HttpStatusCode Code, JsonNode Answer, string RetryAfter)> EvictAsync(TestServer server, string pod, string query = "")
    {
        using var response = await server.RawAsync("POST", $"/api/v1/namespaces/default/pods/{pod}/eviction{query}", $$$"""{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"{{{pod}}}"}}""");
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!, response.Headers.RetryAfter?.ToString() ?? "");
    }

    [Fact]
    public async Task A_custom_resource_with_a_scale_counts_as_a_controller()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", """
            {"metadata":{"name":"swarms.x.io"},"spec":{"group":"x.io","scope":"Namespaced","names":{"plural":"swarms","kind":"Swarm"},"versions":[{"name":"v1","served":true,"storage":true,
             "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"}}},"status":{"type":"object","properties":{"size":{"type":"integer"}}}}}},
             "subresources":{"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.size"}}}]}}
            """);
        var swarm = await server.CreateAsync("/apis/x.io/v1/namespaces/default/swarms", """{"apiVersion":"x.io/v1","kind":"Swarm","metadata":{"name":"s"},"spec":{"size":6}}""");
        await using var cluster = new Cluster(server.Api.Registry).Start();
        foreach (var name in (string[])["a", "b"])
        {
            await server.CreateAsync("/api/v1/namespaces/default/pods", """
                {"metadata":{"name":"NAME","labels":{"app":"web"},"ownerReferences":[{"apiVersion":"x.io/v1","kind":"Swarm","name":"s","uid":"UID","controller":true}]},"spec":{"containers":[{"name":"c","image":"a:1"}]}}
                """.Replace("NAME", name, StringComparison.Ordinal).Replace("UID", (string)swarm["metadata"]!["uid"]!, StringComparison.Ordinal));
        }

        await server.CreateAsync(Budgets, Budget("\"minAvailable\":\"50%\""));
        var status = await StatusAsync(server, static status => (int?)status["currentHealthy"] == 2);
        Assert.Equal((6, 3), ((int)status["expectedPods"]!, (int)status["desiredHealthy"]!));
    }

    [Theory]
    [InlineData("\"minAvailable\":3", 1, 4, 3, 4)]
    [InlineData("\"minAvailable\":4", 0, 4, 4, 4)]
    [InlineData("\"minAvailable\":9", 0, 4, 9, 4)]
    [InlineData("\"minAvailable\":\"30%\"", 2, 4, 2, 4)]
    [InlineData("\"maxUnavailable\":1", 1, 4, 3, 4)]
    [InlineData("\"maxUnavailable\":\"30%\"", 2, 4, 2, 4)]
    [InlineData("\"maxUnavailable\":0", 0, 4, 4, 4)]
    public async Task A_budget_is_counted_from_its_pods_and_their_controllers(string spec, int allowed, int healthy, int desired, int expected)
    {
        await using var server = await TestServer.StartAsync();
        await using var cluster = new Cluster(server.Api.Registry).Start();
        cluster.Deployment("web", 4);
        await server.CreateAsync(Budgets, Budget(spec));
        var status = await StatusAsync(server, status => (int)status["currentHealthy"]! == healthy);
        Assert.Equal((allowed, desired, expected), ((int)status["disruptionsAllowed"]!, (int)status["desiredHealthy"]!, (int)status["expectedPods"]!));
        var condition = Assert.Single(status["conditions"]!.AsArray())!;
        Assert.Equal(("DisruptionAllowed", allowed > 0 ? "True" : "False", allowed > 0 ? "SufficientPods" : "InsufficientPods"), ((string)condition["type"]!, (string)condition["status"]!, (string)condition["reason"]!));
    }

    [Fact]
    public async Task What_the_budget_allows_is_evicted_and_no_more()
    {
        await using var server = await TestServer.StartAsync();
        await using var cluster = new Cluster(server.Api.Registry) { IsBroken = static _ => false }.Start();
        cluster.Deployment("web", 3);
        await server.CreateAsync(Budgets, Budget("\"minAvailable\":2"));
        await StatusAsync(server, static status => (int)status["disruptionsAllowed"]! == 1);
        var pods = await PodsAsync(server);

        // A dry run takes nothing from the budget.
        Assert.Equal(HttpStatusCode.Created, (await EvictAsync(server, pods[0], "?dryRun=All")).Code);
        cluster.IsBroken = static _ => true;
        Assert.Equal(HttpStatusCode.Created, (await EvictAsync(server, pods[0])).Code);
        await StatusAsync(server, static status => (int)status["disruptionsAllowed"]! == 0 && (int)status["currentHealthy"]! == 2);
        var (code, answer, retryAfter) = await EvictAsync(server, pods[1]);
        Assert.Equal((HttpStatusCode.TooManyRequests, Refusal, "TooManyRequests", ""), (code, (string)answer["message"]!, (string)answer["reason"]!, retryAfter));
        Assert.Equal("""[{"reason":"DisruptionBudget","message":"The disruption budget b needs 2 healthy pods and has 2 currently"}]""", answer["details"]!["causes"]!.ToJsonString());
        Assert.Contains(pods[1], await PodsAsync(server));
    }

    [Fact]
    public async Task A_budget_that_nobody_has_counted_yet_lets_nothing_go()
    {
        await using var server = await TestServer.StartAsync();
        await using var cluster = new Cluster(server.Api.Registry, kubelets: false);
        cluster.Pod("web");
        cluster.Run("web", ready: true, "10.244.1.2");
        await server.CreateAsync(Budgets, Budget("\"minAvailable\":0"));
        var (code, answer, retryAfter) = await EvictAsync(server, "web");
        Assert.Equal((HttpStatusCode.TooManyRequests, Refusal, "10"), (code, (string)answer["message"]!, retryAfter));
        Assert.Equal(
            """{"causes":[{"reason":"DisruptionBudget","message":"The disruption budget b is still being processed by the server."}],"retryAfterSeconds":10}""", answer["details"]!.ToJsonString());

        await server.CreateAsync(Budgets, Budget("\"minAvailable\":0").Replace("\"name\":\"b\"", "\"name\":\"second\"", StringComparison.Ordinal));
        (code, answer, _) = await EvictAsync(server, "web");
        Assert.Equal((HttpStatusCode.InternalServerError, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."), (code, (string)answer["message"]!));
    }

    [Theory]
    [InlineData("", HttpStatusCode.TooManyRequests)]
    [InlineData(",\"unhealthyPodEvictionPolicy\":\"IfHealthyBudget\"", HttpStatusCode.TooManyRequests)]
    [InlineData(",\"unhealthyPodEvictionPolicy\":\"AlwaysAllow\"", HttpStatusCode.Created)]
    public async Task A_pod_that_is_not_ready_goes_as_the_budget_says(string policy, HttpStatusCode expected)
    {
        await using var server = await TestServer.StartAsync();
        await using var cluster = new Cluster(server.Api.Registry, kubelets: false).Start();
        cluster.Pod("web");
        cluster.Run("web", ready: false, "10.244.1.2");
        await server.CreateAsync(Budgets, Budget("\"minAvailable\":1" + policy));
        await StatusAsync(server, static status => (int)status["expectedPods"]! == 1);
        Assert.Equal(expected, (await EvictAsync(server, "web")).Code);
    }

    [Fact]
    public async Task An_evicted_pod_tells_why_it_goes_and_a_pending_one_asks_no_budget()
    {
        await using var server = await TestServer.StartAsync();
        await using var cluster = new Cluster(server.Api.Registry, kubelets: false);
        cluster.Pod("free", ",\"nodeName\":\"node-1\"");
        cluster.Run("free", ready: true, "10.244.1.2");
        Assert.Equal(HttpStatusCode.Created, (await EvictAsync(server, "free")).Code);
        var condition = cluster.Store.Find(new StoreKey(GroupResource.Pods, "default", "free"))!.ToNode()["status"]!["conditions"]!.AsArray().Single(static one => (string)one!["type"]! == "DisruptionTarget")!;
        Assert.Equal(("True", "EvictionByEvictionAPI", "Eviction API: evicting"), ((string)condition["status"]!, (string)condition["reason"]!, (string)condition["message"]!));

        cluster.Pod("web");
        await server.CreateAsync(Budgets, Budget("\"minAvailable\":5"));
        Assert.Equal(HttpStatusCode.Created, (await EvictAsync(server, "web")).Code);
        Assert.Null(cluster.Store.Find(new StoreKey(GroupResource.Pods, "default", "web")));
        var (code, answer) = await server.SendAsync("POST", "/api/v1/namespaces/default/pods/free/eviction", """{"metadata":{"name":"other"}}""");
        Assert.Equal((HttpStatusCode.BadRequest, "name in URL does not match name in Eviction object"), (code, (string)answer["message"]!));
    }
}
