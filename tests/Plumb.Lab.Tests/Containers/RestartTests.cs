using Plumb.Api.Streaming;
using Plumb.Lab.Containers;
using Plumb.Lab.Tests.Workloads;

namespace Plumb.Lab.Tests.Containers;

public sealed class RestartTests
{
    [Fact]
    public void The_waits_double_from_ten_seconds_to_five_minutes_and_are_forgotten_after_a_good_run()
    {
        var backOff = new RestartBackOff();
        var soon = TimeSpan.FromSeconds(1);
        Assert.Equal([0, 10, 20, 40, 80, 160, 300, 300], Enumerable.Range(0, 8).Select(_ => (int)backOff.Next(soon).TotalSeconds));
        Assert.Equal(TimeSpan.Zero, backOff.Next(TimeSpan.FromMinutes(10)));
        Assert.Equal(10, backOff.Next(soon).TotalSeconds);
    }

    [Fact]
    public async Task A_container_that_fails_is_restarted_at_once_then_after_its_back_off()
    {
        using var place = new Place();
        var time = new HeldTime();
        var spec = new ContainerSpec("c", "busybox", ["sh", "-c", "echo $HOSTNAME; exit 1"], []);
        await using var watched = new Watched(place, spec, time);
        Assert.Equal((ContainerPhase.Running, 0), Seen(await watched.NextAsync()));
        Assert.Equal((ContainerPhase.Terminated, 0), Seen(await watched.NextAsync()));
        var second = await watched.NextAsync();
        Assert.Equal((ContainerPhase.Running, 1), Seen(second));
        Assert.Equal(1, second.LastExit!.ExitCode);
        Assert.Equal((ContainerPhase.Terminated, 1), Seen(await watched.NextAsync()));
        var waiting = await watched.NextAsync();
        Assert.Equal((ContainerPhase.Waiting, 1), Seen(waiting));
        Assert.Equal("CrashLoopBackOff", waiting.Reason);
        Assert.Equal("back-off 10s restarting failed container=c pod=website-1_default(u-1)", waiting.Message);
        Assert.Equal("website-1\n", await watched.LogsAsync(previous: true));
        Assert.Equal(TimeSpan.FromSeconds(10), await time.FireAsync());
        Assert.Equal((ContainerPhase.Running, 2), Seen(await watched.NextAsync()));
        await watched.NextAsync(ContainerPhase.Waiting);
        Assert.Equal(TimeSpan.FromSeconds(20), await time.FireAsync());
    }

    [Fact]
    public async Task On_failure_lets_a_success_rest()
    {
        using var place = new Place();
        await using var watched = new Watched(place, new ContainerSpec("c", "busybox", ["true"], []) { RestartPolicy = RestartPolicy.OnFailure });
        await watched.Container.Ended;
        Assert.Equal((ContainerPhase.Terminated, "Completed", 0), (watched.Container.Status.Phase, watched.Container.Status.Reason, watched.Container.Status.RestartCount));
    }

    [Fact]
    public async Task A_container_stopped_while_it_waits_does_not_run_again()
    {
        using var place = new Place();
        var time = new HeldTime();
        await using var watched = new Watched(place, new ContainerSpec("c", "busybox", ["false"], []), time);
        await watched.NextAsync(ContainerPhase.Waiting);
        await watched.Container.StopAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((ContainerPhase.Terminated, 1), Seen(watched.Container.Status));
        Assert.Equal(1, watched.Container.Status.Exit!.ExitCode);
    }

    [Fact]
    public async Task Whoever_stops_a_workload_may_be_slower_than_its_end()
    {
        using var place = new Place();
        // Which of the two is faster is chance: of so many each is.
        for (var i = 0; i < 300; i++)
        {
            await using var watched = new Watched(place, new ContainerSpec("c", "pause", [], []));
            await watched.NextAsync(ContainerPhase.Running);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => watched.Container.StopAsync(TimeSpan.FromSeconds(30)))));
            Assert.Equal((ContainerPhase.Terminated, "Completed"), (watched.Container.Status.Phase, watched.Container.Status.Reason));
        }
    }

    [Fact]
    public async Task A_failed_probe_restarts_a_workload()
    {
        using var place = new Place();
        await using var watched = new Watched(place, new ContainerSpec("c", "httpd", [], []));
        await watched.NextAsync(ContainerPhase.Running);
        await watched.Container.RestartAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((ContainerPhase.Running, 1), Seen(await watched.NextAsync(ContainerPhase.Running)));
        Assert.Equal("Plumb's built-in httpd, listening on 80/TCP\n", await watched.LogsAsync(previous: true));
        Assert.Equal("website-1", (await watched.ExecAsync("", "curl", "-s", "http://10.244.1.5/hostname")).Output);
    }

    [Fact]
    public async Task What_was_never_started_has_no_log_and_ends_when_stopped()
    {
        using var place = new Place();
        await using var watched = new Watched(place, new ContainerSpec("c", "httpd", [], []), start: false);
        var refusal = await Assert.ThrowsAsync<PodStreamException>(() => watched.LogsAsync());
        Assert.Equal("container \"c\" in pod \"website-1\" is waiting to start: ContainerCreating", refusal.Message);
        refusal = await Assert.ThrowsAsync<PodStreamException>(() => watched.LogsAsync(previous: true));
        Assert.Equal("previous terminated container \"c\" in pod \"website-1\" not found", refusal.Message);
        await watched.Container.StopAsync(TimeSpan.Zero);
        Assert.True(watched.Container.Ended.IsCompletedSuccessfully);
    }

    private static (ContainerPhase Phase, int Restarts) Seen(ContainerStatus status) => (status.Phase, status.RestartCount);
}
