using Plumb.Lab.Containers;
using Plumb.Lab.Containers.Roots;
using Plumb.Lab.Rootless;
using Plumb.Lab.Tests.Workloads;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Tests.Containers;

/// <summary>Limits of containers, where this process may divide a control group: under Debian's kernel in a machine of its own (<c>tests/other-kernel</c>).</summary>
public sealed class ControlGroupTests : IDisposable
{
    private static readonly string[] Wanted = ["cpu", "memory"];

    private readonly ControlGroup? _lab = MakeLab();

    [Fact]
    public async Task A_container_that_wants_more_memory_than_its_limit_is_ended_and_its_group_goes()
    {
        var lab = Needed();
        using var place = new Place();
        await using var container = new Watched(place, Shell("head -c 500M /dev/zero | tail; echo never") with { Limits = new ContainerLimits(16 << 20, null, null) }, group: lab);
        var ended = await container.NextAsync(ContainerPhase.Terminated);
        Assert.Equal(("OOMKilled", 137), (ended.Exit!.Reason, ended.Exit.ExitCode));
        Assert.DoesNotContain("never", await container.LogsAsync(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(lab.Path));
    }

    [Fact]
    public async Task A_container_has_a_group_with_its_limits_in_which_all_of_it_is()
    {
        var lab = Needed();
        using var place = new Place();
        var limits = new ContainerLimits(64 << 20, 0.5m, 0.25m);
        await using var container = new Watched(place, Shell("cat /proc/self/cgroup; sleep 1000 & sleep 1001 & wait") with { Limits = limits }, group: lab);
        await container.NextAsync(ContainerPhase.Running);
        var group = Assert.Single(Directory.GetDirectories(lab.Path));
        Assert.Equal("u-1.c", Path.GetFileName(group));
        Assert.Equal(("67108864", "50000 100000", "10", "1"), (Text("memory.max"), Text("cpu.max"), Text("cpu.weight"), Text("memory.oom.group")));
        // Moved there right after its start, and no part of its namespace: it reads its place as the machine has it. The lab's group is what is above.
        var (code, output, _) = await container.ExecAsync("", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do read g </proc/self/cgroup; case $g in *u-1.c) break ;; esac; sleep 1; done; echo $g");
        Assert.Equal((0, $"0::/{Path.GetFileName(lab.Path)}/u-1.c\n"), (code, output));
        Assert.Equal("0::/\n", await container.LogsAsync());
        Assert.True(Text("cgroup.procs").Split('\n').Length >= 3);
        await container.Container.StopAsync(TimeSpan.Zero);
        Assert.Empty(Directory.GetDirectories(lab.Path));

        string Text(string file) => File.ReadAllText(Path.Combine(group, file)).Trim();
    }

    [Fact]
    public async Task Other_limits_hold_for_the_run_that_is_and_for_the_next_one()
    {
        var lab = Needed();
        using var place = new Place();
        await using var container = new Watched(place, Shell("sleep 1000") with { Limits = new ContainerLimits(64 << 20, 0.5m, 0.25m), RestartPolicy = RestartPolicy.OnFailure }, group: lab);
        await container.NextAsync(ContainerPhase.Running);
        // The kernel counts a small process some pages late.
        Assert.InRange(container.Container.MemoryBytes ?? -1, 0, 64 << 20);
        container.Container.Limits = new ContainerLimits(128 << 20, 1.5m, 0.25m);
        Assert.Null(container.Container.HoldLimits());
        Assert.Equal(("134217728", "150000 100000", "10"), (Text("memory.max"), Text("cpu.max"), Text("cpu.weight")));
        container.Container.Limits = new ContainerLimits(null, null, 1m);
        Assert.Null(container.Container.HoldLimits());
        Assert.Equal(("max", "max 100000", "39", "0"), (Text("memory.max"), Text("cpu.max"), Text("cpu.weight"), Text("memory.oom.group")));

        container.Container.Limits = new ContainerLimits(32 << 20, null, null);
        Assert.Equal("max", Text("memory.max"));
        await container.Container.RestartAsync(TimeSpan.Zero);
        Assert.Equal(1, (await container.NextAsync(ContainerPhase.Running)).RestartCount);
        Assert.Equal("33554432", Text("memory.max"));

        string Text(string file) => File.ReadAllText(Path.Combine(Assert.Single(Directory.GetDirectories(lab.Path)), file)).Trim();
    }

    [Fact]
    public async Task Commands_that_strangers_send_have_the_container_s_limits_and_one_of_processes()
    {
        var lab = Needed();
        Assert.True(lab.TryOffer("pids"));
        using var place = new Place();
        // It ends with the shell that can start no more.
        var (said, error) = await SendAsync(ContainerLimits.None, $"i=0; while [ $i -lt {ConfinedCommands.MostProcesses} ]; do sleep 1000 & i=$((i+1)); done; echo all");
        Assert.DoesNotContain("all", said, StringComparison.Ordinal);
        Assert.NotEqual("", error);
        // Less than the start itself takes.
        Assert.Equal(("ran\n", ""), await SendAsync(new ContainerLimits(16 << 20, null, null), "echo ran"));
        Assert.Equal(("", "signal: killed"), await SendAsync(new ContainerLimits(16 << 20, null, null), "head -c 500M /dev/zero | tail; echo never"));
        Assert.Empty(Directory.GetDirectories(lab.Path));

        async Task<(string Output, string Error)> SendAsync(ContainerLimits limits, string command)
        {
            var container = new ContainerSpec("c", "agnhost", [], ["netexec"]) { Limits = limits };
            await using var commands = new ConfinedCommands(place.Pod, container, new ContainerFiles(place.Files + "/c", place.Pod, container, null, ThisProgram.CommandLine), lab, TimeProvider.System);
            var (output, why) = await commands.RunAsync(command, TestContext.Current.CancellationToken);
            return (System.Text.Encoding.UTF8.GetString(output), why);
        }
    }

    [Fact]
    public async Task Without_a_group_a_container_runs_and_says_that_its_limits_are_not_held()
    {
        using var place = new Place();
        await using var container = new Watched(place, Shell("sleep 1000") with { Limits = new ContainerLimits(16 << 20, null, null) });
        await container.NextAsync(ContainerPhase.Running);
        var remark = Assert.Single(container.Container.Remarks);
        Assert.Equal("LimitsNotHeld", remark.Reason);
        Assert.Contains("Delegate=yes", remark.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _lab?.TryRemove();

    private static ContainerSpec Shell(string script) => new("c", "busybox", ["sh", "-c", script], []) { RestartPolicy = RestartPolicy.Never };

    private static ControlGroup? MakeLab()
    {
        // Of the root only: other groups must have no processes where they are divided, and this one is among them.
        if (ControlGroup.OfThisProcess() is not { IsWritable: true, IsRoot: true } root || Wanted.Except(root.Controllers).Any() || !root.TryOffer([.. Wanted, "pids"]))
        {
            return null;
        }
        var lab = root.Make($"plumb-test-{Environment.ProcessId}-{Guid.NewGuid():n}");
        Assert.True(lab.TryOffer(Wanted));
        return lab;
    }

    private ControlGroup Needed()
    {
        Assert.SkipUnless(_lab is not null, "this process has no control group with controllers that it may divide: tests/other-kernel runs this");
        return _lab;
    }
}
