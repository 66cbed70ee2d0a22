using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Controllers.Workloads;

public sealed class ReplicationControllerTests
{
    private static readonly StoreKey Frontend = new(GroupResource.ReplicationControllers, "default", "frontend");

    [Fact]
    public async Task A_replication_controller_keeps_as_many_pods_as_it_asks_for()
    {
        await using var cluster = new Cluster().Start();
        cluster.Create(GroupResource.ReplicationControllers, """
            {"metadata":{"name":"frontend"},"spec":{"replicas":3,"template":{"metadata":{"labels":{"app":"guestbook"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}}}
            """);
        await cluster.UntilAsync(() => Ready(cluster) == 3);
        Assert.All(cluster.Pods("guestbook"), static pod => Assert.Equal(("v1", "ReplicationController", "frontend"), (pod.Controller!.ApiVersion, pod.Controller.Kind, pod.Controller.Name)));
        Assert.Contains(cluster.Events("SuccessfulCreate"), static said => said.StartsWith("Created pod: frontend-", StringComparison.Ordinal));

        var lost = cluster.Pods("guestbook")[0];
        cluster.Registry.Delete(lost.Key, Resources.DeleteOptions.Now);
        await cluster.UntilAsync(() => Ready(cluster) == 3 && cluster.Pods("guestbook").Count == 3 && !cluster.Pods("guestbook").Any(pod => pod.Uid == lost.Uid));

        // A pod that is its own from now on is replaced, and goes on.
        cluster.Registry.Update(cluster.Pods("guestbook")[0].Key, static root => { root["metadata"]!["labels"]!["app"] = "alone"; return true; });
        await cluster.UntilAsync(() => cluster.Pods("guestbook").Count == 3 && cluster.Pods("alone").Count == 1);
        Assert.Null(Assert.Single(cluster.Pods("alone")).Controller);

        cluster.Registry.Update(Frontend, static root => { root["spec"]!["replicas"] = 1; return true; });
        await cluster.UntilAsync(() => cluster.Pods("guestbook").Count == 1 && Ready(cluster) == 1);
        cluster.Registry.Delete(Frontend, Resources.DeleteOptions.Now);
        await cluster.UntilAsync(() => cluster.Pods("guestbook").Count == 0);
        Assert.Single(cluster.Pods("alone"));
    }

    [Fact]
    public async Task Its_scale_tells_its_selector_and_a_set_with_the_same_name_is_another()
    {
        await using var server = await TestServer.StartAsync();
        const string path = "/api/v1/namespaces/default/replicationcontrollers";
        var made = await server.CreateAsync(path, """
            {"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"frontend"},"spec":{"template":{"metadata":{"labels":{"app":"guestbook","tier":"front"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}}}
            """);
        Assert.Equal("""{"app":"guestbook","tier":"front"}""", made["spec"]!["selector"]!.ToJsonString());
        Assert.Equal("""{"app":"guestbook","tier":"front"}""", made["metadata"]!["labels"]!.ToJsonString());
        var (_, scale) = await server.SendAsync("GET", path + "/frontend/scale");
        Assert.Equal("app=guestbook,tier=front", (string?)scale["status"]!["selector"]);
        var (code, refused) = await server.SendAsync("POST", path, """
            {"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"other"},"spec":{"selector":{"a":"b"},"template":{"metadata":{"labels":{"a":"c"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}}}
            """);
        Assert.Equal(System.Net.HttpStatusCode.UnprocessableEntity, code);
        Assert.Equal("""ReplicationController "other" is invalid: spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`""", (string?)refused["message"]);
    }

    private static long? Ready(Cluster cluster) => (long?)cluster.Store.Find(Frontend)?.ToNode()["status"]?["readyReplicas"];
}
