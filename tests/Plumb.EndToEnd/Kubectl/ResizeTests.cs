using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.EndToEnd.Kubectl;

/// <summary>Pods whose containers get other resources while they run.</summary>
public sealed class ResizeTests
{
    private const string Pod =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: grows}
        spec:
          containers:
          - name: main
            image: busybox
            command: [sleep, infinity]
            resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]
            resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 100m, memory: 32Mi}}
          - {name: own, image: nginx, resources: {requests: {cpu: 10m}}}
        """;

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task A_container_gets_other_limits_in_place_or_by_a_restart_and_never_more_than_the_node_has(string kubectl)
    {
        await using var user = new LabUser();
        var lab = (await user.UpWithAsync(Pod, "--nodes", "1")).With(kubectl);
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/grows", "--timeout=60s")).Succeeds();
        Assert.Equal("""{"cpu":"10m","memory":"16Mi"} {"limits":{"cpu":"100m","memory":"32Mi"},"requests":{"cpu":"10m","memory":"16Mi"}}""", await StatusAsync());

        // 1. In place.
        await ResizeAsync("""{"requests":{"cpu":"20m"},"limits":{"cpu":"200m"}}""");
        await UntilAsync("""{"cpu":"20m","memory":"16Mi"} {"limits":{"cpu":"200m","memory":"32Mi"},"requests":{"cpu":"20m","memory":"16Mi"}}""");
        Assert.Equal(
            """Pod resize completed: {"containers":[{"name":"main","resources":{"limits":{"cpu":"200m","memory":"32Mi"},"requests":{"cpu":"20m","memory":"16Mi"}}},{"name":"own","resources":{"requests":{"cpu":"10m"}}}]}""",
            await lab.EventAsync("ResizeCompleted", "grows"));
        Assert.Equal("0 0 2", await lab.GetAsync("pod", "grows", "-o", "jsonpath={.status.containerStatuses[*].restartCount} {.status.observedGeneration}"));

        // 2. By a restart of that container.
        await ResizeAsync("""{"limits":{"memory":"64Mi"}}""");
        await UntilAsync("""{"cpu":"20m","memory":"16Mi"} {"limits":{"cpu":"200m","memory":"64Mi"},"requests":{"cpu":"20m","memory":"16Mi"}}""");
        await lab.UntilAsync("1 0 True", "pod", "grows", "-o", "jsonpath={.status.containerStatuses[*].restartCount} {.status.conditions[?(@.type==\"Ready\")].status}");
        Assert.Contains("Container main resize requires restart", await lab.EventAsync("Killing", "grows"), StringComparison.Ordinal);

        // 3. More than there is: wanted, and not granted.
        await ResizeAsync("""{"requests":{"cpu":"1000000"},"limits":{"cpu":"1000000"}}""");
        const string pending = "jsonpath={range .status.conditions[?(@.type==\"PodResizePending\")]}{.status} {.reason} {.observedGeneration} {.message}{end}";
        await lab.UntilAsync($"True Infeasible 4 Node didn't have enough capacity: cpu, requested: 1000000010, capacity: {Environment.ProcessorCount * 1000}", "pod", "grows", "-o", pending);
        Assert.Equal("""{"cpu":"20m","memory":"16Mi"} {"limits":{"cpu":"200m","memory":"64Mi"},"requests":{"cpu":"20m","memory":"16Mi"}}""", await StatusAsync());
        await ResizeAsync("""{"requests":{"cpu":"20m"},"limits":{"cpu":"200m"}}""");
        await lab.UntilAsync("", "pod", "grows", "-o", pending);
        await lab.UntilAsync("", "pod", "grows", "-o", pending.Replace("Pending", "InProgress", StringComparison.Ordinal));

        // 4. The pod itself takes no other resources.
        var refused = await lab.KubectlAsync("set", "resources", "pod/grows", "-c=main", "--requests=cpu=30m");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("pod updates may not change fields other than", refused.Error, StringComparison.Ordinal);

        async Task<string> StatusAsync()
        {
            var main = (await lab.JsonAsync("pod", "grows")).GetProperty("status").GetProperty("containerStatuses")[0];
            return $"{Sorted(main.GetProperty("allocatedResources"))} {Sorted(main.GetProperty("resources"))}";
        }

        async Task UntilAsync(string expected)
        {
            var said = "";
            for (var left = 300; left > 0 && (said = await StatusAsync()) != expected; left--)
            {
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
            Assert.Equal(expected, said);
        }

        // Older clients know no such subresource, but can send what they are given.
        async Task ResizeAsync(string resources)
        {
            if ((await lab.KubectlAsync("patch", "--help")).Output.Contains("--subresource", StringComparison.Ordinal))
            {
                (await lab.KubectlAsync("patch", "pod", "grows", "--subresource", "resize", "--patch", $$$"""{"spec":{"containers":[{"name":"main","resources":{{{resources}}}}]}}""")).Succeeds();
                return;
            }
            var pod = JsonNode.Parse((await lab.JsonAsync("pod", "grows")).GetRawText())!;
            pod["metadata"]!.AsObject().Remove("resourceVersion");
            foreach (var (kind, amounts) in JsonNode.Parse(resources)!.AsObject())
            {
                foreach (var (name, amount) in amounts!.AsObject())
                {
                    pod["spec"]!["containers"]![0]!["resources"]![kind]![name] = amount!.DeepClone();
                }
            }
            var file = Path.Combine(user.RuntimeDirectory, "pod.json");
            await File.WriteAllTextAsync(file, pod.ToJsonString(), TestContext.Current.CancellationToken);
            (await lab.KubectlAsync("replace", "--raw", "/api/v1/namespaces/default/pods/grows/resize", "-f", file)).Succeeds();
        }
    }

    private static string Sorted(JsonElement amounts) => amounts.ValueKind != JsonValueKind.Object
        ? amounts.GetRawText()
        : $"{{{string.Join(',', amounts.EnumerateObject().OrderBy(static one => one.Name, StringComparer.Ordinal).Select(static one => $"\"{one.Name}\":{Sorted(one.Value)}"))}}}";
}
