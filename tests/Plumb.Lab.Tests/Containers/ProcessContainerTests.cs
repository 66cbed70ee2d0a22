using Plumb.Api.Streaming;
using Plumb.Lab.Containers;
using Plumb.Lab.Tests.Workloads;

namespace Plumb.Lab.Tests.Containers;

public sealed class ProcessContainerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_runs_once_and_its_output_and_end_are_kept()
    {
        using var place = new Place();
        await using var watched = new Watched(place, Shell("echo out; echo wrong >&2; exit 3", RestartPolicy.Never));
        var running = await watched.NextAsync();
        Assert.Equal((ContainerPhase.Running, 0), (running.Phase, running.RestartCount));
        var ended = await watched.NextAsync();
        Assert.Equal((ContainerPhase.Terminated, "Error", 3, 0), (ended.Phase, ended.Reason, ended.Exit!.ExitCode, ended.Exit.Signal));
        await watched.Container.Ended;
        Assert.Equal(["out", "wrong"], (await watched.LogsAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public async Task The_command_sees_its_pod_and_not_the_machine()
    {
        using var place = new Place("client");
        var pod = place.Pod with { HostsFile = "10.244.1.5\tclient\n", ResolverFile = "nameserver 10.96.0.10\n" };
        using var other = new Place("client") { Pod = pod };
        await using var watched = new Watched(other, Shell("sleep infinity"));
        await watched.NextAsync(ContainerPhase.Running);
        Assert.Equal((0, "client\n", ""), await watched.ExecAsync("", "uname", "-n"));
        Assert.Equal((0, "client\n", ""), await watched.ExecAsync("", "cat", "/etc/hostname"));
        Assert.Equal((0, "10.244.1.5\tclient\n", ""), await watched.ExecAsync("", "cat", "/etc/hosts"));
        Assert.Equal((0, "nameserver 10.96.0.10\n", ""), await watched.ExecAsync("", "cat", "/etc/resolv.conf"));
        Assert.Contains("inet 10.244.1.5/32", (await watched.ExecAsync("", "ip", "-o", "address")).Output, StringComparison.Ordinal);
        Assert.EndsWith("sh\0-c\0sleep infinity\0", (await watched.ExecAsync("", "cat", "/proc/1/cmdline")).Output, StringComparison.Ordinal);
        Assert.Equal("", (await watched.ExecAsync("", "ls", "/tmp")).Output);
    }

    [Fact]
    public async Task Environment_and_words_are_expanded()
    {
        using var place = new Place();
        var spec = new ContainerSpec("c", "busybox", ["echo", "$(GREETING)"], ["$(POD) at $(IP) $$(POD) $(NONE)"])
        {
            RestartPolicy = RestartPolicy.Never,
            Environment =
            [
                new("NAME", "world"), new("GREETING", "hello $(NAME)"), new("POD", "", "metadata.name"), new("IP", "", "status.podIP"),
            ],
        };
        await using var watched = new Watched(place, spec);
        await watched.Container.Ended;
        Assert.Equal("hello world website-1 at 10.244.1.5 $(POD) $(NONE)\n", await watched.LogsAsync());
    }

    [Theory]
    [InlineData("no-such-program", "executable file not found in $PATH")]
    [InlineData("/no/such/program", "/no/such/program")]
    public async Task A_command_that_cannot_be_started_is_a_state_that_says_why(string program, string words)
    {
        using var place = new Place();
        await using var watched = new Watched(place, new ContainerSpec("c", "busybox", [program], []) { RestartPolicy = RestartPolicy.Never });
        var ended = await watched.NextAsync();
        Assert.Equal((ContainerPhase.Terminated, "StartError", 128), (ended.Phase, ended.Reason, ended.Exit!.ExitCode));
        Assert.Contains(words, ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_asks_first_and_kills_when_the_grace_period_is_over()
    {
        using var place = new Place();
        await using var polite = new Watched(place, Shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"));
        await ReadyAsync(polite);
        await polite.Container.StopAsync(TimeSpan.FromHours(1));
        Assert.Equal(0, polite.Container.Status.Exit!.ExitCode);
        Assert.Equal("ready\nbye\n", await polite.LogsAsync());

        using var elsewhere = new Place();
        await using var deaf = new Watched(elsewhere, Shell("trap 'echo no' TERM; echo ready; while :; do sleep 0.05; done"));
        await ReadyAsync(deaf);
        await deaf.Container.StopAsync(TimeSpan.FromMilliseconds(300));
        Assert.Equal((137, 9), (deaf.Container.Status.Exit!.ExitCode, deaf.Container.Status.Exit.Signal));
    }

    [Fact]
    public async Task A_command_without_a_handler_is_not_waited_for()
    {
        using var place = new Place();
        await using var watched = new Watched(place, new ContainerSpec("c", "busybox", ["sleep"], ["infinity"]));
        await watched.NextAsync(ContainerPhase.Running);
        await watched.Container.StopAsync(TimeSpan.FromHours(1));
        Assert.Equal(137, watched.Container.Status.Exit!.ExitCode);
        Assert.True(watched.Container.Ended.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_stop_leaves_no_process_of_the_container()
    {
        using var place = new Place();
        var mark = $"plumb-{Guid.NewGuid():N}";
        await using var watched = new Watched(place, Shell($"sh -c 'exec -a {mark} sleep infinity' & (setsid bash -c 'exec -a {mark} sleep infinity' &) ; echo ready; wait; sleep infinity", shell: "bash"));
        await ReadyAsync(watched);
        await watched.Container.StopAsync(TimeSpan.Zero);
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc"), directory => CommandLine(directory).Contains(mark, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_exec_carries_input_output_and_exit_code()
    {
        using var place = new Place();
        await using var watched = new Watched(place, Shell("sleep infinity"));
        await watched.NextAsync(ContainerPhase.Running);
        Assert.Equal((0, "abc", ""), await watched.ExecAsync("abc", "cat"));
        Assert.Equal((7, "", "x\n"), await watched.ExecAsync("", "sh", "-c", "echo x >&2; exit 7"));
        Assert.Equal(137, (await watched.ExecAsync("", "sh", "-c", "kill -9 $$")).Code);
        var refusal = await Assert.ThrowsAsync<PodStreamException>(() => watched.ExecAsync("", "no-such-program"));
        Assert.Contains("executable file not found in $PATH", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exec_with_a_terminal_has_one_of_its_own_that_follows_the_client()
    {
        using var place = new Place();
        await using var watched = new Watched(place, Shell("sleep infinity"));
        await watched.NextAsync(ContainerPhase.Running);
        var keyboard = new Keyboard();
        keyboard.Resize(101, 41);
        var running = watched.Container.ExecAsync(
            new ExecRequest("c", ["sh", "-c", "test -t 0 && echo terminal; while stty size < /dev/tty; do sleep 0.05; done & read word; echo \"got $word\""], Terminal: true),
            keyboard.Streams, Cancel);
        await keyboard.SeeAsync("terminal");
        await keyboard.SeeAsync("41 101");
        keyboard.Resize(133, 51);
        await keyboard.SeeAsync("51 133");
        await keyboard.TypeAsync("one\n");
        await keyboard.SeeAsync("got one");
        Assert.Equal(0, (await running).ExitCode);
    }

    [Fact]
    public async Task A_client_that_leaves_takes_its_exec_with_it_and_nothing_else()
    {
        using var place = new Place();
        await using var watched = new Watched(place, Shell("sleep infinity"));
        await watched.NextAsync(ContainerPhase.Running);
        using var leaving = new CancellationTokenSource();
        var keyboard = new Keyboard();
        var running = watched.Container.ExecAsync(new ExecRequest("c", ["sh", "-c", "echo here; sleep infinity"], Terminal: false), keyboard.Streams, leaving.Token);
        await keyboard.SeeAsync("here");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(ContainerPhase.Running, watched.Container.Status.Phase);
    }

    [Fact]
    public async Task An_attach_sees_the_output_and_types_into_the_input()
    {
        using var place = new Place();
        await using var watched = new Watched(place, Shell("while read word; do echo \"got $word\"; done; exit 4", RestartPolicy.Never) with { Stdin = true, StdinOnce = true });
        await watched.NextAsync(ContainerPhase.Running);
        var output = new MemoryStream();
        var outcome = await watched.Container.AttachAsync(
            new AttachRequest("c", Terminal: false), new CommandStreams(new MemoryStream("one\ntwo\n"u8.ToArray()), output, null, null), Cancel);
        // How the container ended is not the attach's to say.
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(4, (await watched.NextAsync(ContainerPhase.Terminated)).Exit!.ExitCode);
        Assert.Equal("got one\ngot two\n", System.Text.Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal("got one\ngot two\n", await watched.LogsAsync());
    }

    [Fact]
    public async Task An_exec_into_a_built_in_workload_is_in_its_pod()
    {
        using var place = new Place();
        await using var watched = new Watched(place, new ContainerSpec("c", "httpd", [], []));
        await watched.NextAsync(ContainerPhase.Running);
        var (code, output, _) = await watched.ExecAsync("", "curl", "-s", "http://10.244.1.5/hostname");
        Assert.Equal((0, "website-1"), (code, output));
        Assert.Equal((0, "website-1\n", ""), await watched.ExecAsync("", "uname", "-n"));
    }

    [Fact]
    public async Task Logs_are_followed_to_the_end_of_the_run()
    {
        using var place = new Place();
        await using var watched = new Watched(place, Shell("for i in 1 2 3; do echo line $i; sleep 0.05; done; printf 'no end'", RestartPolicy.Never));
        await watched.NextAsync(ContainerPhase.Running);
        Assert.Equal("line 1\nline 2\nline 3\nno end", await watched.LogsAsync(follow: true));
        Assert.Equal("line 3\nno end", await watched.LogsAsync(tail: 1));
    }

    private static ContainerSpec Shell(string script, RestartPolicy policy = RestartPolicy.Always, string shell = "sh") =>
        new("c", "busybox", [shell, "-c", script], []) { RestartPolicy = policy };

    /// <summary>Waits until the command has said `ready`.</summary>
    private static async Task ReadyAsync(Watched watched)
    {
        await watched.NextAsync(ContainerPhase.Running);
        using var seen = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var request = new LogRequest("c", Follow: true, false, null, null, LimitBytes: 6, false);
        await watched.Container.LogAsync(request, Stream.Null, seen.Token);
    }

    private static string CommandLine(string processDirectory)
    {
        try
        {
            return File.ReadAllText(processDirectory + "/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
