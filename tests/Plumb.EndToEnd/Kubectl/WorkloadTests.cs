namespace Plumb.EndToEnd.Kubectl;

/// <summary>Workloads on two nodes.</summary>
public sealed class WorkloadLab : IAsyncLifetime
{
    private const string Manifests =
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: shop}
        spec:
          replicas: 2
          selector: {matchLabels: {app: shop}}
          template:
            metadata: {labels: {app: shop}}
            spec: {containers: [{name: main, image: "httpd:1"}]}
        ---
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: {name: everywhere}
        spec:
          selector: {matchLabels: {app: everywhere}}
          template:
            metadata: {labels: {app: everywhere}}
            spec: {containers: [{name: main, image: pause}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: guarded}
        spec:
          replicas: 2
          selector: {matchLabels: {app: guarded}}
          template:
            metadata: {labels: {app: guarded}}
            spec: {terminationGracePeriodSeconds: 1, nodeSelector: {guarded: "yes"}, containers: [{name: main, image: httpd}]}
        ---
        apiVersion: policy/v1
        kind: PodDisruptionBudget
        metadata: {name: guarded}
        spec: {minAvailable: 2, selector: {matchLabels: {app: guarded}}}
        """;

    public LabUser User { get; } = new();

    public RunningLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Lab = await User.UpAsync("--nodes", "2", "--dns-upstream", "none");
        (await Lab.KubectlAsync("label", "node", "node-2", "guarded=yes")).Succeeds();
        (await Lab.KubectlWithInputAsync(Manifests, "apply", "-f", "-")).Succeeds();
        foreach (var workload in (IEnumerable<string>)["deployment/shop", "daemonset/everywhere", "deployment/guarded"])
        {
            (await Lab.KubectlAsync("rollout", "status", workload, "--timeout=60s")).Succeeds();
        }
    }

    public ValueTask DisposeAsync() => User.DisposeAsync();
}

/// <summary>What an administrator does to workloads and nodes.</summary>
public sealed class WorkloadTests(WorkloadLab fixture) : IClassFixture<WorkloadLab>
{
    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task A_rollout_is_paused_resumed_restarted_and_undone(string kubectl)
    {
        var lab = fixture.Lab.With(kubectl);
        var first = await ImageAsync();
        (await lab.KubectlAsync("set", "image", "deployment/shop", "main=httpd:2")).Succeeds();
        (await lab.KubectlAsync("annotate", "deployment/shop", "kubernetes.io/change-cause=the second", "--overwrite")).Succeeds();
        await RolledOutAsync();
        var history = (await lab.KubectlAsync("rollout", "history", "deployment/shop")).Succeeds();
        var second = history.Lines[^1].Split(' ')[0];
        Assert.Contains("the second", history.Lines[^1], StringComparison.Ordinal);
        Assert.Contains("httpd:2", (await lab.KubectlAsync("rollout", "history", "deployment/shop", $"--revision={second}")).Succeeds().Output, StringComparison.Ordinal);

        (await lab.KubectlAsync("rollout", "undo", "deployment/shop")).Succeeds();
        await RolledOutAsync();
        Assert.Equal(first, await ImageAsync());
        (await lab.KubectlAsync("rollout", "undo", "deployment/shop", $"--to-revision={second}")).Succeeds();
        await RolledOutAsync();
        Assert.Equal("httpd:2", await ImageAsync());
        Assert.NotEqual(0, (await lab.KubectlAsync("rollout", "undo", "deployment/shop", "--to-revision=1000")).ExitCode);

        (await lab.KubectlAsync("rollout", "pause", "deployment/shop")).Succeeds();
        Assert.Contains("already paused", (await lab.KubectlAsync("rollout", "pause", "deployment/shop")).Error, StringComparison.Ordinal);
        var pods = await PodsAsync();
        (await lab.KubectlAsync("set", "image", "deployment/shop", "main=httpd:3")).Succeeds();
        Assert.Contains("paused", (await lab.KubectlAsync("rollout", "undo", "deployment/shop")).Error, StringComparison.Ordinal);
        await lab.UntilAsync("DeploymentPaused", "deployment", "shop", "-o", "jsonpath={.status.conditions[?(@.type==\"Progressing\")].reason}");
        Assert.Equal(pods, await PodsAsync());
        (await lab.KubectlAsync("rollout", "resume", "deployment/shop")).Succeeds();
        await RolledOutAsync();
        Assert.Equal("httpd:3", await ImageAsync());

        pods = await PodsAsync();
        (await lab.KubectlAsync("rollout", "restart", "deployment/shop")).Succeeds();
        await RolledOutAsync();
        Assert.Empty((await PodsAsync()).Intersect(pods));
        (await lab.KubectlAsync("rollout", "restart", "daemonset/everywhere")).Succeeds();
        (await lab.KubectlAsync("rollout", "status", "daemonset/everywhere", "--timeout=60s")).Succeeds();

        async Task RolledOutAsync() => (await lab.KubectlAsync("rollout", "status", "deployment/shop", "--timeout=60s")).Succeeds();

        Task<string> ImageAsync() => lab.GetAsync("deployment", "shop", "-o", "jsonpath={.spec.template.spec.containers[0].image}");

        // Without those that are on their way out.
        async Task<string[]> PodsAsync() =>
        [
            .. (await lab.JsonAsync("pods", "-l", "app=shop")).GetProperty("items").EnumerateArray().Select(static pod => pod.GetProperty("metadata"))
                .Where(static metadata => !metadata.TryGetProperty("deletionTimestamp", out _)).Select(static metadata => metadata.GetProperty("name").GetString()!),
        ];
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task A_node_that_is_cordoned_takes_no_pod_and_a_drained_one_keeps_only_daemons(string kubectl)
    {
        var lab = fixture.Lab.With(kubectl);
        (await lab.KubectlAsync("cordon", "node-1")).Succeeds();
        Assert.Contains("SchedulingDisabled", await lab.GetAsync("node", "node-1"), StringComparison.Ordinal);
        (await lab.KubectlAsync("scale", "deployment/shop", "--replicas=5")).Succeeds();
        (await lab.KubectlAsync("rollout", "status", "deployment/shop", "--timeout=60s")).Succeeds();

        Assert.Contains("DaemonSet-managed", (await lab.KubectlAsync("drain", "node-1", "--timeout=20s")).Error, StringComparison.Ordinal);
        (await lab.KubectlAsync("drain", "node-1", "--ignore-daemonsets", "--timeout=60s")).Succeeds();
        Assert.Equal("everywhere", await lab.GetAsync("pods", "--field-selector=spec.nodeName=node-1", "-o", "jsonpath={.items[*].metadata.labels.app}"));

        (await lab.KubectlAsync("uncordon", "node-1")).Succeeds();
        Assert.DoesNotContain("SchedulingDisabled", await lab.GetAsync("node", "node-1"), StringComparison.Ordinal);
        (await lab.KubectlAsync("scale", "deployment/shop", "--replicas=2")).Succeeds();
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task A_drain_leaves_pods_alone_that_a_budget_guards_until_others_serve_in_their_place(string kubectl)
    {
        var lab = fixture.Lab.With(kubectl);
        Assert.SkipWhen(
            (await lab.GetAsync("poddisruptionbudget", "guarded", "-o", "jsonpath={.status.expectedPods}")) != "2", "nothing in this cluster heeds disruption budgets");
        // There is nowhere else to go.
        var refused = await lab.KubectlAsync("drain", "node-2", "--ignore-daemonsets", "--timeout=3s");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("Cannot evict pod as it would violate the pod's disruption budget.", refused.Error, StringComparison.Ordinal);
        Assert.Equal("2", await lab.GetAsync("deployment", "guarded", "-o", "jsonpath={.status.availableReplicas}"));

        // They go one after the other, each when the one before serves elsewhere.
        (await lab.KubectlAsync("patch", "poddisruptionbudget", "guarded", "--type=merge", "-p", "{\"spec\":{\"minAvailable\":1}}")).Succeeds();
        (await lab.KubectlAsync("label", "node", "node-1", "guarded=yes", "--overwrite")).Succeeds();
        (await lab.KubectlAsync("drain", "node-2", "--ignore-daemonsets", "--timeout=60s")).Succeeds();
        Assert.Equal("everywhere", await lab.GetAsync("pods", "--field-selector=spec.nodeName=node-2", "-o", "jsonpath={.items[*].metadata.labels.app}"));

        // As it was, for the next client.
        (await lab.KubectlAsync("uncordon", "node-2")).Succeeds();
        (await lab.KubectlAsync("label", "node", "node-1", "guarded-")).Succeeds();
        (await lab.KubectlAsync("patch", "poddisruptionbudget", "guarded", "--type=merge", "-p", "{\"spec\":{\"minAvailable\":2}}")).Succeeds();
        (await lab.KubectlAsync("rollout", "restart", "deployment/guarded")).Succeeds();
        (await lab.KubectlAsync("rollout", "status", "deployment/guarded", "--timeout=60s")).Succeeds();
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task Wait_ends_with_what_it_waits_for_or_says_that_it_did_not_come(string kubectl)
    {
        var lab = fixture.Lab.With(kubectl);
        var pod = $"short-{Guid.NewGuid():N}";
        (await lab.KubectlAsync("run", pod, "--image=busybox", "--restart=Never", "--command", "--", "sleep", "1000")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/" + pod, "--timeout=60s")).Succeeds();
        Assert.Contains("timed out waiting for the condition", (await lab.KubectlAsync("wait", "--for=condition=Never", "pod/" + pod, "--timeout=1s")).Error, StringComparison.Ordinal);
        // Old clients want to have seen what they wait to see gone; all say what they ask.
        (await lab.KubectlAsync("patch", "pod", pod, "--type=merge", "-p", "{\"metadata\":{\"finalizers\":[\"example.com/held\"]}}")).Succeeds();
        (await lab.KubectlAsync("delete", "pod", pod, "--grace-period=1", "--wait=false")).Succeeds();
        using var waiting = Commands.Start(lab.Environment, kubectl, "wait", "-v=6", "--for=delete", "pod/" + pod, "--timeout=60s");
        waiting.StandardInput.Close();
        string? asked;
        do
        {
            asked = await waiting.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        }
        while (asked is not null && !(asked.Contains("/pods", StringComparison.Ordinal) && asked.Contains("200 OK", StringComparison.Ordinal)));
        Assert.NotNull(asked);
        _ = waiting.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        (await lab.KubectlAsync("patch", "pod", pod, "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}")).Succeeds();
        await waiting.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, waiting.ExitCode);
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task Top_says_in_one_line_that_nobody_measures(string kubectl)
    {
        foreach (var what in (IEnumerable<string>)["nodes", "pods"])
        {
            var refused = await fixture.Lab.With(kubectl).KubectlAsync("top", what);
            Assert.Equal((1, 1), (refused.ExitCode, refused.Error.TrimEnd().Split('\n').Length));
            Assert.Contains("Metrics API not available", refused.Error, StringComparison.Ordinal);
        }
    }
}
