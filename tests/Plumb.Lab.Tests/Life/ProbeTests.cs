using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Tests.Life;

/// <summary>Probes of containers on a node, in seconds: what a kubelet says and does.</summary>
public sealed class ProbeTests(OneNode node) : IClassFixture<OneNode>
{
    [Theory]
    [InlineData("http", """ "httpGet":{"port":9,"path":"/x"} """, "Readiness probe failed: Get \"http://ADDRESS:9/x\": dial tcp ADDRESS:9: connect: connection refused")]
    [InlineData("status", """ "httpGet":{"port":80,"path":"/nowhere"} """, "Readiness probe failed: HTTP probe failed with statuscode: 404")]
    [InlineData("tcp", """ "tcpSocket":{"port":9} """, "Readiness probe failed: dial tcp ADDRESS:9: connect: connection refused")]
    [InlineData("grpc", """ "grpc":{"port":9} """, "Readiness probe failed: failed to connect service \"ADDRESS:9\": dial tcp ADDRESS:9: connect: connection refused")]
    [InlineData("exec", """ "exec":{"command":["sh","-c","echo not yet; exit 1"]} """, "Readiness probe failed: not yet")]
    [InlineData("hang", """ "exec":{"command":["sleep","infinity"]} """, "Readiness probe failed: command timed out: \"sleep infinity\" timed out")]
    public async Task A_probe_that_fails_says_why(string name, string action, string words)
    {
        await node.PodAsync("probe-" + name, $$$"""
            "containers":[{"name":"c","image":"httpd","ports":[{"containerPort":80}],"readinessProbe":{"periodSeconds":1,{{{action}}}}}]
            """);
        var pod = await node.UntilAsync("probe-" + name, one => one.Status.Phase == "Running");
        await node.EventAsync("probe-" + name, "Unhealthy: " + words.Replace("ADDRESS", pod.Status.PodIP, StringComparison.Ordinal));
        Assert.Equal("containers with unready status: [c]", pod.Status.Conditions.Find("Ready")!.Message);
    }

    [Theory]
    [InlineData("http", """ "httpGet":{"port":"web","path":"/healthz"} """)]
    [InlineData("tcp", """ "tcpSocket":{"port":80} """)]
    [InlineData("exec", """ "exec":{"command":["true"]} """)]
    public async Task A_probe_that_succeeds_makes_the_pod_ready(string name, string action)
    {
        await node.PodAsync("good-" + name, $$$"""
            "containers":[{"name":"c","image":"httpd","ports":[{"name":"web","containerPort":80}],"readinessProbe":{"periodSeconds":1,"successThreshold":2,{{{action}}}}}]
            """);
        await node.UntilAsync("good-" + name, one => one.Status.Conditions.IsTrue("Ready"));
    }

    [Fact]
    public async Task A_grpc_probe_asks_a_server_of_grpc_how_its_service_is()
    {
        await node.PodAsync("healthy", """
            "containers":[{"name":"c","image":"agnhost","args":["grpc-health-checking","--service=shop"],"ports":[{"containerPort":5000},{"containerPort":8080}],
              "readinessProbe":{"periodSeconds":1,"failureThreshold":1,"grpc":{"port":5000,"service":"shop"}}}]
            """);
        var pod = await node.UntilAsync("healthy", static one => one.Status.Conditions.IsTrue("Ready"));
        // The witness is a client that others wrote: an empty request, and all that comes back.
        const string ask = "printf '\\000\\000\\000\\000\\000' | curl -s --http2-prior-knowledge -H 'content-type: application/grpc' -H 'te: trailers' --data-binary @- -D /tmp/head http://ADDRESS:5000/grpc.health.v1.Health/Check | od -An -tx1; tail -n 3 /tmp/head";
        var said = await node.ExecAsync("healthy", "c", "sh", "-c", ask.Replace("ADDRESS", pod.Status.PodIP, StringComparison.Ordinal));
        Assert.StartsWith(" 00 00 00 00 02 08 01\n", said, StringComparison.Ordinal);
        Assert.Contains("grpc-status: 0", said, StringComparison.Ordinal);
        await node.ExecAsync("healthy", "c", "curl", "-s", $"http://{pod.Status.PodIP}:8080/make-not-serving");
        await node.EventAsync("healthy", "Unhealthy: Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")");
        await node.UntilAsync("healthy", static one => !one.Status.Conditions.IsTrue("Ready"));

        await node.PodAsync("stranger", """
            "containers":[{"name":"c","image":"agnhost","args":["grpc-health-checking"],"readinessProbe":{"periodSeconds":1,"grpc":{"port":5000,"service":"nobody"}}}]
            """);
        await node.EventAsync("stranger", "Unhealthy: Readiness probe failed: service \"nobody\" is not known to the server: unknown service");
    }

    [Fact]
    public async Task A_liveness_probe_restarts_its_container_and_a_startup_probe_holds_it_back()
    {
        await node.PodAsync("alive", """
            "containers":[{"name":"c","image":"busybox","command":["sh","-c","sleep 0.5; touch /tmp/up; sleep infinity"],
              "startupProbe":{"periodSeconds":1,"failureThreshold":10,"exec":{"command":["test","-e","/tmp/up"]}},
              "livenessProbe":{"periodSeconds":1,"failureThreshold":1,"exec":{"command":["test","-e","/tmp/up"]}}}]
            """);
        var started = await node.UntilAsync("alive", pod => pod.Status.ContainerStatuses is [{ Started: true }]);
        Assert.Equal(0, started.Status.ContainerStatuses[0].RestartCount);
        await node.ExecAsync("alive", "c", "rm", "/tmp/up");
        var again = await node.UntilAsync("alive", pod => pod.Status.ContainerStatuses is [{ RestartCount: 1, State.Running: not null }]);
        Assert.Equal(137, again.Status.ContainerStatuses[0].LastState!.Terminated!.ExitCode);
        Assert.Equal("Killing: Container c failed liveness probe, will be restarted", await node.EventAsync("alive", "Killing"));
    }
}
