using System.Globalization;
using System.Text;
using Plumb.Linux.Containers;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;
using Plumb.Testing;

namespace Plumb.Linux.Tests.Processes;

public sealed class SpawnTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 42", 42)]
    [InlineData("exit 255", 255)]
    public async Task The_exit_code_is_what_the_child_returned(string script, int code)
    {
        using var child = Spawn.Start(Shell(script));

        Assert.Equal(new ExitStatus(code, null), await child.Exited);
    }

    [Theory]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Kill)]
    [InlineData(Signal.Pipe)] // ignored by .NET, but not by its children
    public async Task A_signal_that_ends_the_child_is_told(Signal signal)
    {
        using var child = Spawn.Start(new SpawnRequest("sleep") { Arguments = ["1000"] });

        Assert.True(child.Kill(signal));

        Assert.Equal(new ExitStatus(128 + (int)signal, signal), await child.Exited);
        Assert.False(child.Kill(signal));
    }

    [Fact]
    [Trait(UserNamespace.Needs, UserNamespace.Root)]
    public async Task A_child_is_whom_it_is_to_be_and_has_no_way_back_and_the_next_one_is_root()
    {
        const string who = "id -u; id -g; id -G; grep -E '^(Uid|CapPrm|CapEff)' /proc/self/status";
        using var child = Spawn.Start(Shell(who) with { User = new ContainerUser(1000, 1001, [5, 6]), Output = SpawnStream.Pipe });
        Assert.Equal("1000\n1001\n1001 5 6\nUid:\t1000\t1000\t1000\t1000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n", await ReadAll(child.Output!));
        using var next = Spawn.Start(Shell("id -u; id -G") with { Output = SpawnStream.Pipe });
        Assert.Equal("0\n0\n", await ReadAll(next.Output!));
    }

    [Fact]
    public async Task Output_and_error_come_by_separate_pipes()
    {
        using var child = Spawn.Start(Shell("echo out; echo err >&2") with { Output = SpawnStream.Pipe, Error = SpawnStream.Pipe });

        Assert.Equal("out\n", await ReadAll(child.Output!));
        Assert.Equal("err\n", await ReadAll(child.Error!));
    }

    [Fact]
    public async Task A_megabyte_goes_in_and_comes_out_again()
    {
        using var child = Spawn.Start(new SpawnRequest("cat") { Input = SpawnStream.Pipe, Output = SpawnStream.Pipe });
        var sent = new byte[1 << 20];
        new Random(1).NextBytes(sent);

        var writing = Task.Run(
            async () =>
            {
                await child.Input!.WriteAsync(sent, Cancel);
                await child.Input.DisposeAsync();
            },
            Cancel);
        using var received = new MemoryStream();
        await child.Output!.CopyToAsync(received, Cancel);
        await writing;

        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public async Task Environment_directory_and_arguments_are_those_stated()
    {
        var request = new SpawnRequest("/bin/sh")
        {
            Arguments = ["-c", "pwd; echo $A; echo \"$1\"; env | wc -l", "name", "two words"],
            Environment = new Dictionary<string, string> { ["A"] = "grüß", ["PATH"] = "/usr/bin:/bin" },
            WorkingDirectory = "/usr",
        };

        Assert.Equal("/usr\ngrüß\ntwo words\n3\n", await Output(request)); // sh adds PWD
    }

    [Fact]
    public async Task Nothing_of_this_process_is_open_in_the_child()
    {
        var output = await Output(Shell("ls /proc/$$/fd"));

        Assert.Equal("0\n1\n2\n", output);
    }

    [Fact]
    public async Task A_descriptor_can_be_handed_to_the_child()
    {
        using var handed = FileDescriptor.Open("/etc/passwd", OpenFlags.ReadOnly);
        var request = Shell("read line <&7; echo $line") with { Descriptors = new Dictionary<int, System.Runtime.InteropServices.SafeHandle> { [7] = handed } };

        Assert.StartsWith("root:", await Output(request), StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_is_not_there_is_named()
    {
        var missing = Assert.Throws<SystemCallException>(() => Spawn.Start(new SpawnRequest("no-such-program")));
        var missingPath = Assert.Throws<SystemCallException>(() => Spawn.Start(new SpawnRequest("/no/such/program")));
        var notExecutable = Assert.Throws<SystemCallException>(() => Spawn.Start(new SpawnRequest("/etc/passwd")));

        Assert.Equal((Errno.ENOENT, Errno.ENOENT, Errno.EACCES), (missing.Errno, missingPath.Errno, notExecutable.Errno));
        Assert.Contains("\"no-such-program\": executable file not found in $PATH", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_starts_in_the_network_namespace_stated_and_the_next_at_home()
    {
        using var inside = NetworkNamespace.Create();
        using var home = NetworkNamespace.OpenHome();
        var request = Shell("stat -L -c %i /proc/self/ns/net");

        var first = await Output(request with { Namespaces = new SpawnNamespaces { Network = inside } });
        var second = await Output(request);

        Assert.Equal((Inode(inside), Inode(home)), (first.Trim(), second.Trim()));
    }

    [Fact]
    public async Task A_container_has_its_own_name_files_and_processes()
    {
        using var inside = NetworkNamespace.Create();
        var hosts = Path.GetTempFileName();
        await File.WriteAllTextAsync(hosts, "10.244.1.5 web\n", Cancel);
        try
        {
            var request = Shell("hostname; cat /etc/hosts; echo $$; set -- /proc/[0-9]*; echo $#; touch /etc/hosts 2>/dev/null || echo read-only") with
            {
                Namespaces = new SpawnNamespaces
                {
                    Network = inside,
                    HostName = "web-0",
                    OwnIpc = true,
                    OwnPids = true,
                    Mounts = [new BindMount(hosts, "/etc/hosts", ReadOnly: true)],
                },
            };

            // Processes: the shell, which looks itself. In a pipe the one may have looked before the other was there.
            Assert.Equal("web-0\n10.244.1.5 web\n1\n1\nread-only\n", await Output(request));
            Assert.NotEqual("web-0", Environment.MachineName);
            Assert.NotEqual("10.244.1.5 web\n", await File.ReadAllTextAsync("/etc/hosts", Cancel));
        }
        finally
        {
            File.Delete(hosts);
        }
    }

    [Fact]
    public async Task A_process_started_beside_another_shares_all_its_namespaces()
    {
        using var inside = NetworkNamespace.Create();
        using var container = Spawn.Start(Shell("echo ready; exec sleep 1000") with
        {
            Output = SpawnStream.Pipe,
            Namespaces = new SpawnNamespaces
            {
                Network = inside, HostName = "beside", OwnIpc = true, OwnPids = true, Mounts = [new BindMount("/usr", "/mnt")],
            },
        });
        await container.Output!.ReadExactlyAsync(new byte[6], Cancel);
        var beside = new SpawnNamespaces { BesideProcess = container };

        var seen = await Output(Shell("hostname; ls -d /mnt/bin; tr '\\0' ' ' < /proc/1/cmdline; stat -L -c %i /proc/self/ns/net") with { Namespaces = beside });
        using var forever = Spawn.Start(new SpawnRequest("sleep") { Arguments = ["1000"], Namespaces = beside });
        container.Kill();

        Assert.Equal($"beside\n/mnt/bin\nsleep 1000 {Inode(inside)}\n", seen);
        Assert.Equal(Signal.Kill, (await container.Exited).EndedBy);
        Assert.Equal(Signal.Kill, (await forever.Exited).EndedBy); // it went with pid 1
    }

    [Fact]
    public async Task A_process_started_beside_another_at_once_finds_it_running_its_own_program()
    {
        using var inside = NetworkNamespace.Create();
        var look = Shell("tr '\\0' ' ' < /proc/1/cmdline; echo /proc/[0-9]*");

        var seen = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(
            async () =>
            {
                using var container = Spawn.Start(new SpawnRequest("sleep")
                {
                    Arguments = ["1000"],
                    DeathSignal = i % 2 == 0 ? Signal.Kill : null,
                    Namespaces = new SpawnNamespaces { Network = inside, HostName = $"c{i}", OwnIpc = true, OwnPids = true },
                });
                var output = await Output(look with { Namespaces = new SpawnNamespaces { BesideProcess = container } });
                container.Kill();
                return output;
            },
            Cancel)));

        // Processes: sleep and the shell.
        Assert.All(seen, static output => Assert.Matches("^/[a-z/]*sleep 1000 /proc/1 /proc/2\n$", output));
    }

    [Fact]
    public async Task Beside_a_process_that_ended_before_it_ran_its_program_nothing_starts()
    {
        using var container = Spawn.Start(new SpawnRequest("/no/such/program") { Namespaces = new SpawnNamespaces { OwnPids = true }, Error = SpawnStream.Null });

        Assert.Throws<SystemCallException>(() => Spawn.Start(Shell("true") with { Namespaces = new SpawnNamespaces { BesideProcess = container } }));

        Assert.NotEqual(0, (await container.Exited).Code);
    }

    [Fact]
    public void An_own_host_name_without_a_network_namespace_is_refused() =>
        Assert.Throws<ArgumentException>(() => Spawn.Start(Shell("true") with { Namespaces = new SpawnNamespaces { HostName = "a" } }));

    [Fact]
    public void A_mount_that_is_refused_names_what_and_starts_nothing()
    {
        var request = Shell("true") with { Namespaces = new SpawnNamespaces { Mounts = [new BindMount("/no/such", "/etc/hosts")] } };

        var exception = Assert.Throws<SystemCallException>(() => Spawn.Start(request));

        Assert.Contains("/no/such at /etc/hosts", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_death_signal_is_set_when_asked_for()
    {
        var request = new SpawnRequest("setpriv") { Arguments = ["--dump"] };

        Assert.Contains("Parent death signal: [none]", await Output(request), StringComparison.Ordinal);
        Assert.Contains("Parent death signal: KILL", await Output(request with { DeathSignal = Signal.Kill }), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_terminal_controls_its_child()
    {
        using var terminal = PseudoTerminal.Open(rows: 33, columns: 99);
        using var child = Spawn.Start(Shell("stty size; test -t 0 && test -t 1 && test -t 2 && echo tty; echo from-tty > /dev/tty; read line; echo \"got $line\"") with { Terminal = terminal });
        await terminal.Input.WriteAsync("typed\n"u8.ToArray(), Cancel);

        var output = await ReadAll(terminal.Output);

        Assert.Equal(0, (await child.Exited).Code);
        Assert.Contains("33 99\r\n", output, StringComparison.Ordinal);
        Assert.Contains("\ntty\r\n", output, StringComparison.Ordinal);
        Assert.Contains("from-tty", output, StringComparison.Ordinal);
        Assert.Contains("got typed", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_on_the_terminal_interrupts_the_child()
    {
        using var terminal = PseudoTerminal.Open();
        using var child = Spawn.Start(Shell("echo ready; exec sleep 1000") with { Terminal = terminal });
        var buffer = new byte[64];
        _ = await terminal.Output.ReadAsync(buffer, Cancel);

        await terminal.Input.WriteAsync(new byte[] { 3 }, Cancel);

        Assert.Equal(128 + (int)Signal.Interrupt, (await child.Exited).Code);
    }

    [Fact]
    public async Task Hundreds_of_children_are_awaited_at_once()
    {
        var children = Enumerable.Range(0, 200).Select(i => Spawn.Start(Shell($"exit {i % 100}"))).ToList();

        var statuses = await Task.WhenAll(children.Select(c => c.Exited));

        Assert.Equal(Enumerable.Range(0, 200).Select(i => i % 100), statuses.Select(s => s.Code));
    }

    private static SpawnRequest Shell(string script) => new("/bin/sh") { Arguments = ["-c", script] };

    private static string Inode(NetworkNamespace of) => of.Identity.Inode.ToString(CultureInfo.InvariantCulture);

    private static async Task<string> Output(SpawnRequest request)
    {
        using var child = Spawn.Start(request with { Output = SpawnStream.Pipe });
        var output = await ReadAll(child.Output!);
        await child.Exited;
        return output;
    }

    private static async Task<string> ReadAll(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(Cancel);
    }
}
