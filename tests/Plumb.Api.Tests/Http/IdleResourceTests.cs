using System.Net;

namespace Plumb.Api.Tests.Http;

/// <summary>What other people's manifests bring along is kept, and whoever makes it is told that nothing acts on it.</summary>
public sealed class IdleResourceTests : KubectlFixture
{
    private const string Manifest = """
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: q}
        spec: {hard: {pods: "1", limits.cpu: "2"}}
        ---
        apiVersion: v1
        kind: LimitRange
        metadata: {name: lr}
        spec: {limits: [{type: Container, max: {cpu: "2"}, min: {memory: 1Mi}}]}
        ---
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: h}
        spec:
          maxReplicas: 3
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
          metrics: [{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 100Mi}}}]
        """;

    [Fact]
    public async Task Kubectl_applies_lists_and_deletes_them_and_says_what_they_lack()
    {
        var file = await FileAsync("all.yaml", Manifest);
        var said = await RunAsync("apply", "-f", file);
        foreach (var kind in (string[])["ResourceQuota", "LimitRange", "HorizontalPodAutoscaler"])
            Assert.Contains($"Warning: this {kind} is kept, and nothing is ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Warning", await RunAsync("apply", "-f", file), StringComparison.Ordinal);
        Assert.Matches(@"h\s+Deployment/web\s+memory: <unknown>/100Mi\s+1\s+3\s+0", await RunAsync("get", "hpa"));
        Assert.Matches(@"NAME\s+CREATED AT\nlr\s+20", await RunAsync("get", "limits"));
        Assert.Matches(@"q\s+.*\d+s", await RunAsync("get", "quota"));
        Assert.Equal("{\"cpu\":\"2\"} {\"cpu\":\"2\",\"memory\":\"1Mi\"}", await RunAsync("get", "limitrange", "lr", "-o", "jsonpath={.spec.limits[0].default} {.spec.limits[0].defaultRequest}"));
        await RunAsync("delete", "-f", file);
        await RunAsync("create", "quota", "made", "--hard=pods=1,cpu=500m");
        Assert.Equal("{\"cpu\":\"500m\",\"pods\":\"1\"}", await RunAsync("get", "quota", "made", "-o", "jsonpath={.spec.hard}"));
    }

    [Fact]
    public async Task Amounts_may_be_numbers_and_are_kept_as_a_real_server_writes_them()
    {
        const string quotas = "/api/v1/namespaces/default/resourcequotas";
        await Server.CreateAsync(quotas, """{"metadata":{"name":"q"},"spec":{"hard":{"pods":1,"cpu":"1000m"}}}""");
        var (code, patched) = await Server.SendAsync("PATCH", quotas + "/q/status", """{"status":{"hard":{"pods":1,"cpu":"2000m"},"used":{"pods":0}}}""", "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"pods":"1","cpu":"1"}""", patched["spec"]!["hard"]!.ToJsonString());
        Assert.Equal("""{"hard":{"pods":"1","cpu":"2"},"used":{"pods":"0"}}""", patched["status"]!.ToJsonString());
        Assert.Matches(@"q\s+cpu: /2, pods: 0/1\s", await RunAsync("get", "quota"));
        Assert.Equal(HttpStatusCode.BadRequest, (await Server.SendAsync("POST", quotas, """{"metadata":{"name":"r"},"spec":{"hard":{"pods":true}}}""")).Code);
        var range = await Server.CreateAsync("/api/v1/namespaces/default/limitranges", """{"metadata":{"name":"l"},"spec":{"limits":[{"type":"Pod","max":{"cpu":2,"memory":"1024Mi"}}]}}""");
        Assert.Equal("""{"cpu":"2","memory":"1Gi"}""", range["spec"]!["limits"]![0]!["max"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"maxReplicas":0,"scaleTargetRef":{"kind":"Deployment","name":"d"}}""", "spec.maxReplicas: Invalid value: 0: must be greater than 0")]
    [InlineData("""{"minReplicas":3,"maxReplicas":2,"scaleTargetRef":{"kind":"Deployment","name":"d"}}""", "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`")]
    [InlineData("""{"maxReplicas":2,"scaleTargetRef":{"kind":"Deployment"}}""", "spec.scaleTargetRef.name: Required value")]
    public async Task An_autoscaler_that_makes_no_sense_is_refused(string spec, string why)
    {
        var (code, answer) = await Server.SendAsync("POST", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", $$"""{"metadata":{"name":"h"},"spec":{{spec}}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains(why, (string)answer["message"]!, StringComparison.Ordinal);
    }
}
