using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>What goes wrong in a cluster that runs, and how it recovers.</summary>
public sealed class FaultTests : IAsyncDisposable
{
    private const int AddressesOfANode = 253; // a /24 without its network, gateway and broadcast addresses

    private readonly LabUser _user = new();

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Pods_beyond_a_node_s_range_wait_and_run_when_an_address_is_free()
    {
        var lab = await _user.UpAsync("--nodes", "1");
        (await lab.KubectlAsync("create", "deployment", "many", "--image=pause", "--replicas=300")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=jsonpath={.status.readyReplicas}=" + AddressesOfANode, "deployment/many", "--timeout=120s")).Succeeds();
        var waiting = await WaitingAsync(lab);
        Assert.Equal(300 - AddressesOfANode, waiting.Count);
        Assert.Contains("address", await lab.EventAsync("FailedCreatePodSandBox", waiting[0]), StringComparison.Ordinal);
        (await lab.KubectlAsync("scale", "deployment", "many", $"--replicas={AddressesOfANode}")).Succeeds();
        (await lab.KubectlAsync("rollout", "status", "deployment", "many", "--timeout=120s")).Succeeds();
        Assert.Empty(await WaitingAsync(lab));
    }

    [Fact]
    public async Task An_agent_that_is_killed_comes_back_and_its_node_serves_pods_again()
    {
        var lab = await _user.UpAsync("--nodes", "2", "--agent-processes");
        var status = JsonElement.Parse((await lab.PlumbAsync("status", "-o", "json")).Succeeds().Output);
        var agent = status.GetProperty("labs")[0].GetProperty("machines").EnumerateArray().First(static one => one.GetProperty("name").GetString() == "node-1")
            .GetProperty("agentProcessId").GetInt32();
        using (var kill = System.Diagnostics.Process.Start("kill", ["-KILL", agent.ToString()]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        const string pod =
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: after}
            spec: {nodeName: node-1, containers: [{name: main, image: httpd}]}
            """;
        (await lab.KubectlWithInputAsync(pod, "apply", "-f", "-")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/after", "--timeout=60s")).Succeeds();
    }

    private static async Task<List<string>> WaitingAsync(RunningLab lab)
    {
        var pods = await lab.JsonAsync("pods", "-l", "app=many");
        return
        [
            .. pods.GetProperty("items").EnumerateArray()
                // Those that are on their way out do not wait for anything.
                .Where(static pod => pod.GetProperty("status").GetProperty("phase").GetString() == "Pending" && !pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _))
                .Select(static pod => pod.GetProperty("metadata").GetProperty("name").GetString()!),
        ];
    }
}
