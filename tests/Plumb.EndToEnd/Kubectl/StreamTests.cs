using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plumb.EndToEnd.Kubectl;

/// <summary>Pods that people talk to.</summary>
public sealed class StreamLab : IAsyncLifetime
{
    private const string Manifests = Pods.Client +
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: counter}
        spec:
          nodeName: node-1
          containers:
          - {name: main, image: busybox, command: [sh, -c, "echo one; echo two >&2; echo three; while [ ! -e /tmp/on ]; do sleep 0.1; done; echo four; while [ ! -e /tmp/end ]; do sleep 0.1; done; echo five; exit 3"]}
          - {name: beside, image: busybox, command: [sh, -c, "echo beside; exec sleep infinity"]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: main, image: registry.k8s.io/e2e-test-images/agnhost:2.47, args: [netexec, --http-port=8080], ports: [{containerPort: 8080, name: http}]}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: echo}
        spec:
          replicas: 2
          selector: {matchLabels: {app: echo}}
          template:
            metadata: {labels: {app: echo}}
            spec: {containers: [{name: main, image: socat, command: [socat, "TCP-LISTEN:7000,fork,reuseaddr", "EXEC:cat"], ports: [{containerPort: 7000, name: echo}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: echo}
        spec: {selector: {app: echo}, ports: [{port: 7, targetPort: echo}]}
        """;

    public LabUser User { get; } = new();

    public RunningLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Lab = await User.UpWithAsync(Manifests, "--nodes", "2");

    public ValueTask DisposeAsync() => User.DisposeAsync();
}

/// <summary>What goes back and forth between a person and a container: commands, terminals, files, logs, connections.</summary>
public sealed partial class StreamTests(StreamLab fixture) : IClassFixture<StreamLab>
{
    // Tells its window's size at first and at each change, and what it hears; ends with the code that it is told.
    // No shell: bash loses signals that come while it handles one, and what it has read of a line when its patience ends.
    private const string Talker =
        """
        $| = 1;
        sub size { my $size = `stty size`; chomp $size; $size }
        $SIG{WINCH} = sub { print "changed ", size(), "\n" };
        $SIG{INT} = sub { print "interrupted\n" };
        print "size ", size(), "\n";
        my $typed = "";
        while (1) {
            my $more = sysread(STDIN, $typed, 4096, length $typed);
            next unless defined $more; # a signal
            exit 99 unless $more;
            while ($typed =~ s/^(.*)\n//) {
                my $line = $1;
                print "heard $line\n";
                exit $1 if $line =~ /^exit (\d+)/;
            }
        }
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task A_terminal_has_the_window_s_size_from_the_first_moment_and_hears_of_its_changes(string kubectl)
    {
        await using var terminal = Open(kubectl, "exec", "-it", "client", "--", "perl", "-e", Talker);
        await terminal.SeesAsync("size 31 97\r\n");
        await terminal.ResizeAsync(40, 132, "changed 40 132\r\n");
        await terminal.TypeAsync("hello\r");
        await terminal.SeesAsync("heard hello\r\n");
        await terminal.TypeAsync("\u0003");
        await terminal.SeesAsync("interrupted\r\n");
        await terminal.TypeAsync("exit 7\r");
        Assert.Equal(7, await terminal.EndsAsync());
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task A_built_in_workload_has_a_terminal_too(string kubectl)
    {
        await using var terminal = Open(kubectl, "exec", "-it", "deployment/web", "--", "perl", "-e", Talker);
        await terminal.SeesAsync("size 31 97\r\n");
        await terminal.TypeAsync("exit 0\r");
        Assert.Equal(0, await terminal.EndsAsync());
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task Exec_ends_as_the_command_does_and_keeps_its_outputs_apart(string kubectl)
    {
        var lab = Lab(kubectl);
        foreach (var (script, code) in (IEnumerable<(string, int)>)[("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
        {
            Assert.Equal((script, code), (script, (await lab.KubectlAsync("exec", "client", "--", "sh", "-c", script)).ExitCode));
        }
        var both = (await lab.KubectlAsync("exec", "client", "--", "sh", "-c", "echo out; echo err >&2")).Succeeds();
        Assert.Equal(("out\n", "err\n"), (both.Output, both.Error));
        Assert.Equal("7\n", (await lab.KubectlWithInputAsync("a\nb c\n\n\n\n\n\n", "exec", "-i", "client", "--", "wc", "-l")).Succeeds().Output);
        var missing = await lab.KubectlAsync("exec", "client", "--", "no-such-program");
        Assert.NotEqual(0, missing.ExitCode);
        Assert.Contains("executable file not found in $PATH", missing.Error, StringComparison.Ordinal);
        Assert.Contains("container nobody is not valid for pod client", (await lab.KubectlAsync("exec", "client", "-c", "nobody", "--", "true")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task Files_are_copied_both_ways_as_they_are(string kubectl)
    {
        var lab = Lab(kubectl);
        var (there, back) = (Path.Combine(fixture.User.RuntimeDirectory, "there"), Path.Combine(fixture.User.RuntimeDirectory, "back-" + Guid.NewGuid().ToString("N")));
        Directory.CreateDirectory(Path.Combine(there, "deep", "er"));
        var bytes = new byte[3_000_001];
        new Random(7).NextBytes(bytes);
        await File.WriteAllBytesAsync(Path.Combine(there, "deep", "er", "random"), bytes, Cancel);
        await File.WriteAllTextAsync(Path.Combine(there, "a name with blanks"), "text\n", Cancel);
        (await lab.KubectlAsync("exec", "client", "--", "rm", "-rf", "/tmp/copied")).Succeeds();

        (await lab.KubectlAsync("cp", there, "default/client:/tmp/copied")).Succeeds();
        Assert.Equal("3000001 /tmp/copied/deep/er/random\n", (await lab.KubectlAsync("exec", "client", "--", "wc", "-c", "/tmp/copied/deep/er/random")).Succeeds().Output);
        (await lab.KubectlAsync("cp", "client:/tmp/copied", back)).Succeeds();
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(back, "deep", "er", "random"), Cancel));
        Assert.Equal("text\n", await File.ReadAllTextAsync(Path.Combine(back, "a name with blanks"), Cancel));
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task Attach_reaches_the_container_s_own_terminal_and_leaves_it_running(string kubectl)
    {
        var lab = Lab(kubectl);
        var pod = Unique("talker");
        (await lab.KubectlWithInputAsync(
$$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: {{pod}}}
            spec: {restartPolicy: Never, containers: [{name: main, image: busybox, stdin: true, tty: true, command: [perl, -e, {{JsonSerializer.Serialize(Talker)}} ]}]}
            """, "apply", "-f", "-")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/" + pod, "--timeout=60s")).Succeeds();
        // It runs before it listens, and a size is told once.
        while (!(await lab.KubectlAsync("logs", pod)).Succeeds().Output.Contains("size", StringComparison.Ordinal))
        {
            await Task.Delay(100, Cancel);
        }
        await using (var first = Open(kubectl, "attach", "-it", pod))
        {
            await first.SeesAsync("changed 31 97\r\n");
            await first.TypeAsync("hello\r");
            await first.SeesAsync("heard hello\r\n");
            // Gone without a word, as when a window is closed.
        }
        Assert.Equal("Running", await lab.GetAsync("pod", pod, "-o", "jsonpath={.status.phase}"));
        await using var second = Open(kubectl, "attach", "-it", pod);
        await second.TypeAsync("again\r");
        await second.SeesAsync("heard again\r\n");
        await second.ResizeAsync(50, 70, "changed 50 70\r\n");
        await second.TypeAsync("exit 5\r");
        await second.SeesAsync("heard exit 5\r\n");
        await second.EndsAsync();
        await lab.UntilAsync("5", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}");
        Assert.Contains("heard hello", (await lab.KubectlAsync("logs", pod)).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_follow_a_container_to_its_end_and_know_the_run_before()
    {
        var lab = fixture.Lab;
        var following = lab.KubectlAsync("logs", "-f", "counter", "-c", "main");
        (await lab.KubectlAsync("exec", "counter", "-c", "main", "--", "touch", "/tmp/on")).Succeeds();
        while (!(await lab.KubectlAsync("logs", "counter", "-c", "main")).Succeeds().Output.Contains("four", StringComparison.Ordinal))
        {
            await Task.Delay(50, Cancel);
        }
        Assert.False(following.IsCompleted);

        var stamped = (await lab.KubectlAsync("logs", "counter", "-c", "main", "--timestamps")).Succeeds().Lines;
        var times = stamped.Select(static line => DateTimeOffset.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(["four", "one", "three", "two"], stamped.Select(static line => line.Split(' ', 2)[1]).Order());
        Assert.Equal(times.Order(), times);
        // The client tells whole seconds.
        Assert.EndsWith("four\n", (await lab.KubectlAsync("logs", "counter", "-c", "main", "--since-time", stamped[^1].Split(' ')[0])).Succeeds().Output);
        Assert.Equal("four\n", (await lab.KubectlAsync("logs", "counter", "-c", "main", "--tail=1")).Succeeds().Output);
        Assert.Equal(4, (await lab.KubectlAsync("logs", "counter", "-c", "main", "--since=1h")).Succeeds().Lines.Count);
        while ((await lab.KubectlAsync("logs", "counter", "-c", "main", "--since=1s")).Succeeds().Output.Length > 0)
        {
            await Task.Delay(50, Cancel);
        }
        Assert.Contains("[pod/counter/beside] beside", (await lab.KubectlAsync("logs", "counter", "--all-containers", "--prefix")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains("previous terminated container \"main\" in pod \"counter\" not found", (await lab.KubectlAsync("logs", "counter", "-c", "main", "--previous")).Error, StringComparison.Ordinal);

        (await lab.KubectlAsync("exec", "counter", "-c", "main", "--", "touch", "/tmp/end")).Succeeds();
        Assert.Equal(["five", "four", "one", "three", "two"], (await following.WaitAsync(TimeSpan.FromMinutes(1), Cancel)).Succeeds().Lines.Order());
        await lab.UntilAsync("1", "pod", "counter", "-o", "jsonpath={.status.containerStatuses[?(@.name==\"main\")].restartCount}");
        Assert.Contains("five", (await lab.KubectlAsync("logs", "counter", "-c", "main", "--previous")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task Connections_are_carried_to_pods_however_they_are_named(string kubectl)
    {
        var pod = (await Lab(kubectl).GetAsync("pods", "-l", "app=echo", "-o", "name")).Split('\n')[0];
        var sent = new byte[300_000];
        new Random(5).NextBytes(sent);
        foreach (var (target, port) in (IEnumerable<(string, int)>)[(pod, 7000), ("deployment/echo", 7000), ("service/echo", 7)])
        {
            using var forward = Commands.Start(Lab(kubectl).Environment, kubectl, "port-forward", target, $":{port}");
            try
            {
                var line = await forward.StandardOutput.ReadLineAsync(Cancel) ?? await forward.StandardError.ReadToEndAsync(Cancel);
                Assert.True(LocalPort().Match(line) is { Success: true }, line);
                var local = ushort.Parse(LocalPort().Match(line).Groups[1].Value, CultureInfo.InvariantCulture);
                _ = forward.StandardOutput.ReadToEndAsync(Cancel);
                _ = forward.StandardError.ReadToEndAsync(Cancel);
                // One that says nothing yet stands in nobody's way.
                using var quiet = new TcpClient("127.0.0.1", local);
                Assert.All(await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
                {
                    using var client = new TcpClient("127.0.0.1", local);
                    return await EchoAsync(client, sent);
                })), echo => Assert.Equal(sent, echo));
                Assert.Equal("late\n"u8.ToArray(), await EchoAsync(quiet, "late\n"u8.ToArray()));
            }
            finally
            {
                forward.Kill();
                await forward.WaitForExitAsync(Cancel);
            }
        }
    }

    [Fact]
    public async Task A_debugging_container_sees_the_processes_of_its_target()
    {
        // One of before 1.23 asks for an API that is gone.
        Assert.SkipUnless((await fixture.Lab.KubectlAsync("debug", "--help")).Output.Contains("--profile", StringComparison.Ordinal), "this kubectl is too old to debug a cluster of today");
        await using var terminal = Open("kubectl", "debug", "-it", "counter", "--image=busybox", "--target=beside", "--container=debugger", "--", "sh");
        await terminal.TypeAsync("echo \"first $(tr '\\0' ' ' < /proc/1/cmdline)\"; hostname; exit 4\r");
        await terminal.SeesAsync("first sleep infinity");
        await terminal.SeesAsync("counter\r\n");
        await terminal.EndsAsync();
        await fixture.Lab.UntilAsync("4", "pod", "counter", "-o", "jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}");
    }

    [GeneratedRegex(@"^Forwarding from 127\.0\.0\.1:(\d+) -> ")]
    private static partial Regex LocalPort();

    /// <summary>Sends all, ends its own direction, and reads to the other's end.</summary>
    private static async Task<byte[]> EchoAsync(TcpClient client, byte[] bytes)
    {
        var received = new MemoryStream();
        var reading = client.GetStream().CopyToAsync(received, Cancel);
        await client.GetStream().WriteAsync(bytes, Cancel);
        client.Client.Shutdown(SocketShutdown.Send);
        await reading;
        return received.ToArray();
    }

    private static string Unique(string name) => $"{name}-{Guid.NewGuid():N}"[..20];

    private RunningLab Lab(string kubectl) => fixture.Lab.With(kubectl);

    private Terminal Open(string kubectl, params string[] arguments) => new(fixture.Lab.Environment, 31, 97, kubectl, arguments);
}
