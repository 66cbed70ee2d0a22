using System.Text.Json;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node;
using Plumb.Linux.Addresses;
using ContainerStatus = Plumb.Lab.Containers.ContainerStatus;

namespace Plumb.Lab.Tests.Node;

public sealed class PodReportTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly ContainerStatus Running =
        new(ContainerPhase.Running, "", "", "plumb://0123456789abcdef", Now, null, null, 0);

    [Theory]
    [InlineData(RestartPolicy.Always, "w", "Pending")]
    [InlineData(RestartPolicy.Always, "r", "Running")]
    [InlineData(RestartPolicy.Always, "rw", "Pending")]
    [InlineData(RestartPolicy.Always, "b", "Running")]
    [InlineData(RestartPolicy.Always, "s", "Running")]
    [InlineData(RestartPolicy.Always, "f", "Running")]
    [InlineData(RestartPolicy.Never, "s", "Succeeded")]
    [InlineData(RestartPolicy.Never, "f", "Failed")]
    [InlineData(RestartPolicy.Never, "sf", "Failed")]
    [InlineData(RestartPolicy.Never, "rf", "Running")]
    [InlineData(RestartPolicy.OnFailure, "s", "Succeeded")]
    [InlineData(RestartPolicy.OnFailure, "f", "Running")]
    public void The_phase_follows_from_containers_and_restart_policy(RestartPolicy policy, string containers, string phase)
    {
        var report = Report(policy, [], [.. containers.Select(Status)]);
        Assert.Equal(phase, report.Phase);
    }

    [Fact]
    public void A_pod_is_ready_when_all_containers_run_and_their_probes_succeed()
    {
        var report = Report(RestartPolicy.Always, [], Running, Running);
        Assert.True(report.IsReady);
        report.Containers[1].ProbeSucceeds = false;
        Assert.False(report.IsReady);
        var ready = Condition(Patch(report), "Ready");
        Assert.Equal("False", ready.GetProperty("status").GetString());
        Assert.Equal("containers with unready status: [c1]", ready.GetProperty("message").GetString());
    }

    [Fact]
    public void A_pod_that_goes_is_ready_as_long_as_its_containers_serve()
    {
        var report = Report(RestartPolicy.Always, [], Running);
        report.Terminating = true;
        Assert.Equal("True", Condition(Patch(report), "Ready").GetProperty("status").GetString());
        report.Containers[0].Status = Status('f');
        Assert.Equal("False", Condition(Patch(report), "Ready").GetProperty("status").GetString());
    }

    [Fact]
    public void The_main_address_stands_alone_and_first_among_all()
    {
        var status = Patch(Report(RestartPolicy.Always, [], Running));
        Assert.Equal("10.244.1.5", status.GetProperty("podIP").GetString());
        Assert.Equal(["10.244.1.5", "fd00:10:244:1::5"], status.GetProperty("podIPs").EnumerateArray().Select(static one => one.GetProperty("ip").GetString()!));
    }

    [Fact]
    public void Main_containers_wait_for_init_containers()
    {
        var report = Report(RestartPolicy.Always, [Running], ContainerStatus.Creating);
        report.Containers[0].WaitForInitialization();
        var patch = Patch(report);
        Assert.Equal("Pending", patch.GetProperty("phase").GetString());
        Assert.Equal("ContainersNotInitialized", Condition(patch, "Initialized").GetProperty("reason").GetString());
        Assert.Equal(
            "PodInitializing",
            patch.GetProperty("containerStatuses")[0].GetProperty("state").GetProperty("waiting").GetProperty("reason").GetString());
    }

    [Fact]
    public void A_condition_keeps_the_time_of_its_last_turn()
    {
        var report = Report(RestartPolicy.Always, [], ContainerStatus.Creating);
        var later = Now.AddSeconds(10);
        Assert.Equal("2026-01-02T03:04:05Z", TurnOf(report, Now));
        Assert.Equal("2026-01-02T03:04:05Z", TurnOf(report, later));
        report.Containers[0].Status = Running;
        Assert.Equal("2026-01-02T03:04:15Z", TurnOf(report, later));
        Assert.Equal("2026-01-02T03:04:15Z", TurnOf(report, later.AddSeconds(10)));

        static string? TurnOf(PodReport report, DateTimeOffset at) =>
            Condition(JsonElement.Parse(report.ToPatch(at).Span).GetProperty("status"), "Ready").GetProperty("lastTransitionTime").GetString();
    }

    [Fact]
    public void The_patch_names_the_uid_and_both_forms_of_each_address()
    {
        var report = Report(RestartPolicy.Always, [], Running);
        var root = JsonElement.Parse(report.ToPatch(Now).Span);
        Assert.Equal("uid-1", root.GetProperty("metadata").GetProperty("uid").GetString());
        var status = root.GetProperty("status");
        Assert.Equal("10.244.1.5", status.GetProperty("podIP").GetString());
        Assert.Equal("10.244.1.5", status.GetProperty("podIPs")[0].GetProperty("ip").GetString());
        Assert.Equal("192.168.1.11", status.GetProperty("hostIPs")[0].GetProperty("ip").GetString());
    }

    [Fact]
    public void How_a_container_ended_is_told_twice_after_its_restart()
    {
        var exit = new ContainerExit("plumb://1", 137, 9, "Error", "", Now, Now.AddSeconds(1));
        var report = Report(RestartPolicy.Always, [], Running with { LastExit = exit, RestartCount = 2 });
        var container = Patch(report).GetProperty("containerStatuses")[0];
        Assert.Equal(2, container.GetProperty("restartCount").GetInt32());
        Assert.Equal(137, container.GetProperty("lastState").GetProperty("terminated").GetProperty("exitCode").GetInt32());
        Assert.True(container.GetProperty("state").TryGetProperty("running", out _));
    }

    [Fact]
    public void What_a_container_was_granted_and_has_is_told_and_conditions_of_its_resize_go_when_it_is_over()
    {
        var report = Report(RestartPolicy.Always, [], Running);
        Assert.Equal(4, Patch(report).GetProperty("conditions").GetArrayLength());
        var (granted, had) = (new ResourceRequirements { Requests = new Dictionary<string, Quantity> { ["cpu"] = new("2") } }, new ResourceRequirements { Requests = new Dictionary<string, Quantity> { ["cpu"] = new("1") } });
        (report.Containers[0].Allocated, report.Containers[0].Resources) = (granted, had);
        report.Resize.Begin(7, Now);
        var status = Patch(report);
        Assert.Equal("""{"cpu":"2"} {"requests":{"cpu":"1"}}""", $"{status.GetProperty("containerStatuses")[0].GetProperty("allocatedResources").GetRawText()} {status.GetProperty("containerStatuses")[0].GetProperty("resources").GetRawText()}");
        var condition = Condition(status, "PodResizeInProgress");
        Assert.Equal((7, JsonValueKind.Null), (condition.GetProperty("observedGeneration").GetInt64(), condition.GetProperty("reason").ValueKind));

        report.Resize.Fail("why", Now.AddSeconds(5));
        report.Resize.Pend("Infeasible", "too much", 8, Now.AddSeconds(5));
        status = Patch(report);
        Assert.Equal((7, "Error", "why"), Said(Condition(status, "PodResizeInProgress")));
        Assert.Equal((8, "Infeasible", "too much"), Said(Condition(status, "PodResizePending")));
        Assert.True(report.Resize.EndPending());
        Assert.False(report.Resize.EndPending());
        report.Resize.End();
        Assert.Equal("""{"type":"PodResizePending","$patch":"delete"}""", Condition(Patch(report), "PodResizePending").GetRawText());
        Assert.Equal("""{"type":"PodResizeInProgress","$patch":"delete"}""", Condition(Patch(report), "PodResizeInProgress").GetRawText());

        static (long, string?, string?) Said(JsonElement one) => (one.GetProperty("observedGeneration").GetInt64(), one.GetProperty("reason").GetString(), one.GetProperty("message").GetString());
    }

    private static ContainerStatus Status(char what) => what switch
    {
        'w' => ContainerStatus.Creating,
        'r' => Running,
        's' => new ContainerStatus(ContainerPhase.Terminated, "Completed", "", "plumb://1", null, Exit(0), null, 0),
        'f' => new ContainerStatus(ContainerPhase.Terminated, "Error", "", "plumb://1", null, Exit(1), null, 0),
        'b' => new ContainerStatus(ContainerPhase.Waiting, "CrashLoopBackOff", "", "plumb://1", null, null, Exit(1), 3),
        _ => throw new ArgumentOutOfRangeException(nameof(what)),
    };

    private static ContainerExit Exit(int code) => new("plumb://1", code, 0, code == 0 ? "Completed" : "Error", "", Now, Now);

    private static PodReport Report(RestartPolicy policy, ContainerStatus[] init, params ContainerStatus[] main) => new()
    {
        Uid = "uid-1",
        HostAddresses = [IpAddress.Parse("192.168.1.11")],
        PodAddresses = [IpAddress.Parse("10.244.1.5"), IpAddress.Parse("fd00:10:244:1::5")],
        StartTime = Now,
        RestartPolicy = policy,
        InitContainers = [.. init.Select(static (status, i) => new ContainerReport(new("initContainers", $"i{i}"), "image", completes: true) { Status = status })],
        Containers = [.. main.Select(static (status, i) => new ContainerReport(new("containers", $"c{i}"), "image", completes: false) { Status = status })],
    };

    private static JsonElement Patch(PodReport report) => JsonElement.Parse(report.ToPatch(Now).Span).GetProperty("status");

    private static JsonElement Condition(JsonElement status, string type) =>
        status.GetProperty("conditions").EnumerateArray().Single(one => one.GetProperty("type").GetString() == type);
}
