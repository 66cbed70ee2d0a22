using System.Net;

namespace Plumb.Api.Tests.Controllers;

public sealed class ClaimProtectionTests
{
    private const string Claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    private const string Pods = "/api/v1/namespaces/default/pods";

    [Fact]
    public async Task A_claim_stays_until_the_last_pod_on_a_node_that_names_it_is_gone()
    {
        await using var server = await TestServer.StartAsync();
        await using var cluster = new Cluster(server.Api.Registry, kubelets: false).Start();
        foreach (var name in (string[])["used", "idle"])
            await server.CreateAsync(Claims, $$$$"""{"metadata":{"name":"{{{{name}}}}"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}} }""");
        await server.CreateAsync(Pods, """{"metadata":{"name":"p"},"spec":{"nodeName":"node-1","volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"used"}}],"containers":[{"name":"c","image":"i:1"}]}}""");
        await server.SendAsync("DELETE", Claims + "/used");
        await server.SendAsync("DELETE", Claims + "/idle");
        await GoneAsync(server, "idle");

        // What was asked for first is still there, marked, because of the pod.
        var (_, used) = await server.SendAsync("GET", Claims + "/used");
        Assert.NotNull(used["metadata"]!["deletionTimestamp"]);
        Assert.Equal("kubernetes.io/pvc-protection", (string)used["metadata"]!["finalizers"]![0]!);
        await server.SendAsync("DELETE", Pods + "/p?gracePeriodSeconds=0");
        await GoneAsync(server, "used");
    }

    private static async Task GoneAsync(TestServer server, string name)
    {
        while ((await server.SendAsync("GET", $"{Claims}/{name}")).Code != HttpStatusCode.NotFound)
            await Task.Delay(5, TestContext.Current.CancellationToken);
    }
}
