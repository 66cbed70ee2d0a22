using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Tests.Life;

/// <summary>The order in which containers of a pod come and go, and what is said of it.</summary>
public sealed class LifecycleTests(OneNode node) : IClassFixture<OneNode>
{
    [Fact]
    public async Task Init_containers_run_one_after_the_other_and_side_cars_go_on_beside_the_rest()
    {
        const string mounts = """ "volumeMounts":[{"name":"v","mountPath":"/plumb-v"}] """;
        await node.PodAsync("ordered", $$$"""
            "restartPolicy":"Never",
            "initContainers":[
              {"name":"first","image":"busybox","command":["sh","-c","echo first >> /plumb-v/order"],{{{mounts}}}},
              {"name":"side","image":"busybox","restartPolicy":"Always","startupProbe":{"exec":{"command":["test","-e","/plumb-v/up"]},"periodSeconds":1},{{{mounts}}},
               "command":["sh","-c","trap 'echo side-ends >> /plumb-v/order; cat /plumb-v/order; exit 0' TERM; sleep 0.5; echo side >> /plumb-v/order; touch /plumb-v/up; while :; do sleep 0.05; done"]},
              {"name":"second","image":"busybox","command":["sh","-c","echo second >> /plumb-v/order"],{{{mounts}}}}],
            "containers":[{"name":"main","image":"busybox","command":["sh","-c","echo main >> /plumb-v/order; sleep 0.5; echo main-ends >> /plumb-v/order"],{{{mounts}}}}],
            "volumes":[{"name":"v","emptyDir":{}}]
            """);
        var running = await node.UntilAsync("ordered", pod => pod.Status.Phase == "Running");
        Assert.True(running.Status.Conditions.IsTrue("Initialized"));
        Assert.Equal([(false, true), (true, true), (false, true)], running.Status.InitContainerStatuses.Select(static one => (one.Started ?? false, one.Ready)));
        // The main container is done: the pod has succeeded, whatever the side car says.
        var over = await node.UntilAsync("ordered", pod => pod.Status is { Phase: "Succeeded", InitContainerStatuses: [_, { State.Terminated: not null }, _] });
        Assert.Equal("first\nside\nsecond\nmain\nmain-ends\nside-ends\n", await node.LogAsync("ordered", "side"));
        Assert.Equal("PodCompleted", over.Status.Conditions.Find("Initialized")!.Reason);
    }

    [Fact]
    public async Task A_failed_init_container_ends_a_pod_that_is_never_restarted()
    {
        await node.PodAsync("broken-init", """
            "restartPolicy":"Never","initContainers":[{"name":"i","image":"busybox","command":["false"]}],"containers":[{"name":"c","image":"httpd"}]
            """);
        var pod = await node.UntilAsync("broken-init", one => one.Status.Phase == "Failed");
        Assert.Equal("PodInitializing", pod.Status.ContainerStatuses[0].State!.Waiting!.Reason);
        Assert.Equal("containers with incomplete status: [i]", pod.Status.Conditions.Find("Initialized")!.Message);
    }

    [Fact]
    public async Task Hooks_run_after_the_start_and_before_the_end()
    {
        await node.PodAsync("hooked", """
            "containers":[{"name":"c","image":"busybox","command":["sh","-c","trap 'echo term; exit 0' TERM; while :; do sleep 0.05; done"],
              "lifecycle":{"postStart":{"exec":{"command":["sh","-c","echo post > /proc/1/fd/1"]}},"preStop":{"exec":{"command":["sh","-c","echo pre > /proc/1/fd/1"]}}}}]
            """);
        await node.UntilAsync("hooked", pod => pod.Status.Conditions.IsTrue("Ready"));
        var following = node.Api.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/pods/hooked/log?follow=true", null, TestContext.Current.CancellationToken);
        // Both hooks and the signal have that long, also on a machine that has much else to do.
        await node.Api.DeleteAsync<Pod>("default", "hooked", new DeleteOptions { GracePeriodSeconds = 120 }, TestContext.Current.CancellationToken);
        Assert.Equal("post\npre\nterm\n", System.Text.Encoding.UTF8.GetString(await following));
    }

    [Fact]
    public async Task A_hook_that_hangs_costs_the_grace_period_and_no_more()
    {
        await node.PodAsync("stuck", """
            "containers":[{"name":"c","image":"busybox","command":["sleep","infinity"],"lifecycle":{"preStop":{"exec":{"command":["sleep","infinity"]}}}}]
            """);
        await node.UntilAsync("stuck", pod => pod.Status.Phase == "Running");
        await node.Api.DeleteAsync<Pod>("default", "stuck", new DeleteOptions { GracePeriodSeconds = 1 }, TestContext.Current.CancellationToken);
        await node.GoneAsync("stuck");
        Assert.Equal("FailedPreStopHook: PreStopHook failed: command timed out: \"sleep infinity\" timed out", await node.EventAsync("stuck", "FailedPreStopHook"));
    }

    [Fact]
    public async Task A_second_deletion_with_less_grace_ends_the_wait_of_the_first()
    {
        await node.PodAsync("deaf", """
            "containers":[{"name":"c","image":"busybox","command":["sh","-c","trap '' TERM; echo ready; while :; do sleep 0.05; done"]}]
            """);
        await node.UntilAsync("deaf", pod => pod.Status.Phase == "Running");
        while (await node.LogAsync("deaf", "c") != "ready\n")
        {
        }
        await node.Api.DeleteAsync<Pod>("default", "deaf", new DeleteOptions { GracePeriodSeconds = 3600 }, TestContext.Current.CancellationToken);
        await node.EventAsync("deaf", "Killing");
        await node.Api.DeleteAsync<Pod>("default", "deaf", new DeleteOptions { GracePeriodSeconds = 1 }, TestContext.Current.CancellationToken);
        await node.GoneAsync("deaf");
    }

    [Fact]
    public async Task A_readiness_gate_waits_for_whoever_sets_it()
    {
        await node.PodAsync("gated", """
            "readinessGates":[{"conditionType":"example.com/balanced"}],"containers":[{"name":"c","image":"httpd"}]
            """);
        var pod = await node.UntilAsync("gated", one => one.Status.Conditions.IsTrue("ContainersReady"));
        var ready = pod.Status.Conditions.Find("Ready")!;
        Assert.Equal(("False", "ReadinessGatesNotReady", "corresponding condition of pod readiness gate \"example.com/balanced\" does not exist."), (ready.Status, ready.Reason, ready.Message));
        await node.PatchAsync("pods/gated/status", """{"status":{"conditions":[{"type":"example.com/balanced","status":"False"}]}}""");
        await node.UntilAsync("gated", one => one.Status.Conditions.Find("Ready")?.Message == "the status of pod readiness gate \"example.com/balanced\" is not \"True\", but False");
        await node.PatchAsync("pods/gated/status", """{"status":{"conditions":[{"type":"example.com/balanced","status":"True"}]}}""");
        await node.UntilAsync("gated", one => one.Status.Conditions.IsTrue("Ready"));
    }

    [Fact]
    public async Task A_pod_that_outlives_its_deadline_has_failed()
    {
        await node.PodAsync("late", """
            "activeDeadlineSeconds":1,"containers":[{"name":"c","image":"busybox","command":["sleep","infinity"]}]
            """);
        var pod = await node.UntilAsync("late", one => one.Status.Phase == "Failed" && one.Status.ContainerStatuses is [{ State.Terminated: not null }]);
        Assert.Equal(("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"), (pod.Status.Reason, pod.Status.Message));
    }

    [Fact]
    public async Task A_deadline_may_be_set_while_a_pod_runs()
    {
        await node.PodAsync("later", """
            "containers":[{"name":"c","image":"busybox","command":["sleep","infinity"]}]
            """);
        await node.UntilAsync("later", one => one.Status.Conditions.IsTrue("Ready"));
        await node.PatchAsync("pods/later", """{"spec":{"activeDeadlineSeconds":1}}""");
        var pod = await node.UntilAsync("later", one => one.Status.Phase == "Failed");
        Assert.Equal("DeadlineExceeded", pod.Status.Reason);
    }

    [Fact]
    public async Task A_part_of_a_volume_is_named_from_the_volume_s_root()
    {
        await node.PodAsync("absolute", """
            "restartPolicy":"Never","volumes":[{"name":"v","emptyDir":{}}],
            "containers":[{"name":"c","image":"busybox","command":["true"],"env":[{"name":"PART","value":"/tmp"}],"volumeMounts":[{"name":"v","mountPath":"/plumb-v","subPathExpr":"$(PART)"}]}]
            """);
        var pod = await node.UntilAsync("absolute", one => one.Status.ContainerStatuses is [{ State.Waiting.Reason: "CreateContainerConfigError" }]);
        Assert.Equal(("Pending", "error SubPath `/tmp` must not be an absolute path"), (pod.Status.Phase, pod.Status.ContainerStatuses[0].State!.Waiting!.Message));
    }

    [Fact]
    public async Task A_program_s_last_words_are_in_its_status()
    {
        await node.PodAsync("words", """
            "restartPolicy":"Never","containers":[
              {"name":"file","image":"busybox","command":["sh","-c","echo because > /dev/termination-log; exit 3"],"volumeMounts":[{"name":"v","mountPath":"/plumb-v"}]},
              {"name":"log","image":"busybox","command":["sh","-c","echo first; echo last; exit 4"],"terminationMessagePolicy":"FallbackToLogsOnError"}],
            "volumes":[{"name":"v","emptyDir":{}}]
            """);
        var pod = await node.UntilAsync("words", one => one.Status.Phase == "Failed");
        Assert.Equal([(3, "because\n"), (4, "first\nlast\n")], pod.Status.ContainerStatuses.Select(static one => (one.State!.Terminated!.ExitCode, one.State.Terminated.Message)));
    }

    [Fact]
    public async Task A_container_that_forks_without_end_goes_when_its_pod_does()
    {
        // Bounded in number at any moment, not in time: each child leaves a child and ends.
        await node.PodAsync("forks", """
            "containers":[{"name":"c","image":"busybox","command":["bash","-c","f() { (f &) ; }; for i in 1 2 3 4; do f; done; exec -a plumb-forks-parent sleep infinity"]}]
            """);
        await node.UntilAsync("forks", pod => pod.Status.Phase == "Running");
        await node.DeleteAsync("forks");
        await node.GoneAsync("forks");
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc"), static directory => CommandLine(directory).Contains("plumb-forks-parent", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_debugging_container_joins_a_pod_that_runs()
    {
        await node.PodAsync("debugged", """
            "containers":[{"name":"c","image":"httpd"}]
            """);
        var pod = await node.UntilAsync("debugged", one => one.Status.Phase == "Running");
        node.ApplyToNode(pod with { Spec = pod.Spec with { EphemeralContainers = [new Container { Name = "debugger", Image = "busybox", Command = ["sh", "-c", "curl -s localhost/hostname"] }] } });
        while (!(await node.StatusAsync("debugged")).Contains("ephemeralContainerStatuses", StringComparison.Ordinal))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Equal("debugged", await node.LogOnNodeAsync(pod, "debugger"));
    }

    private static string CommandLine(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "cmdline"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    [Fact]
    public async Task Events_say_where_in_the_pod_their_container_stands()
    {
        await node.PodAsync("fields", """
            "initContainers":[{"name":"first","image":"busybox","command":["true"]}],"containers":[{"name":"main","image":"busybox","command":["sleep","infinity"]}]
            """);
        await node.UntilAsync("fields", static pod => pod.Status.Phase == "Running");
        await node.EventAsync("fields", "Started: Started container main");
        var events = System.Text.Encoding.UTF8.GetString(await node.Api.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/events", null, TestContext.Current.CancellationToken));
        Assert.Contains("spec.initContainers{first}", events, StringComparison.Ordinal);
        Assert.Contains("spec.containers{main}", events, StringComparison.Ordinal);
        Assert.DoesNotContain("spec.containers{first}", events, StringComparison.Ordinal);
    }
}
