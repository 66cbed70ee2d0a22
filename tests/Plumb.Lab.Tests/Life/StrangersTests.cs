using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Containers.Roots;
using Plumb.Lab.Rootless;
using Plumb.Lab.Tests.Containers;
using Plumb.Lab.Tests.Workloads;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Tests.Life;

/// <summary>Commands that whoever reaches a pod's port sends it (netexec's `/shell` and `/upload`), and what they do not reach.</summary>
public sealed class StrangersTests(OneNode node) : IClassFixture<OneNode>, IAsyncLifetime
{
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT
    private const string Capabilities = "000000000004243b";

    private readonly string _name = "n" + Guid.NewGuid().ToString("N")[..8];
    private string _address = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _address = await StartAsync(_name, "");

    public async ValueTask DisposeAsync()
    {
        await node.DeleteAsync(_name);
        await node.GoneAsync(_name);
    }

    [Fact]
    public async Task A_command_is_run_in_its_pod_and_answered_as_upstream_answers()
    {
        Assert.Equal($"{_name}\n0 root /tmp /\n{_name}\none\n", await SaidAsync("hostname; echo $(id -u) $(whoami) $HOME $PWD; cat /etc/hostname; echo one two | awk '{print $1}' > /dev/stdout"));
        Assert.Contains(_name, await SaidAsync("cat /etc/hosts"), StringComparison.Ordinal);
        Assert.Contains("default.svc.cluster.local", await SaidAsync("cat /etc/resolv.conf"), StringComparison.Ordinal);
        Assert.Contains(_address, await SaidAsync("ip -o address"), StringComparison.Ordinal);
        Assert.Equal(_name, await SaidAsync($"curl -s http://{_address}:8080/hostname"));

        // Both outputs in their order, and what Go's os/exec says of the end.
        Assert.Equal(("a\nb\n", "exit status 3"), await AskAsync("echo a; echo b >&2; exit 3"));
        Assert.Equal("""{"error":"exit status 1"}""", await CurlAsync("-d", "cmd=false", Url("shell")));
        Assert.Equal("""{"output":"first\n"}""", await CurlAsync("-G", "-d", "cmd=echo+second", "-d", "shellCommand=echo+first", Url("shell")));
        Assert.Equal("""{"output":"first\n"}""", await CurlAsync("-G", "-d", "cmd=echo+first", "-d", "cmd=echo+second", Url("shell")));
        Assert.Equal("{}", await CurlAsync(Url("shell")));
        Assert.Contains("GET /shell?cmd=echo a; echo b >&2; exit 3", await node.LogAsync(_name, "c"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_sent_can_be_run_and_stays_as_long_as_the_container()
    {
        var script = await node.ExecAsync("asker", "c", "sh", "-c", $"printf '#!/bin/sh\\necho ran with $1\\n' > /tmp/{_name} && curl -s -w ' %{{http_code}}' -F file=@/tmp/{_name} {Url("upload")}");
        Assert.EndsWith(" 201", script, StringComparison.Ordinal);
        var path = (string)JsonNode.Parse(script[..^4])!["output"]!;
        Assert.StartsWith("/uploads/upload", path, StringComparison.Ordinal);
        Assert.Equal("ran with it\n700\n", await SaidAsync($"{path} it; stat -c %a {path}; echo kept > /tmp/kept"));
        Assert.Equal("kept\n", await SaidAsync("cat /tmp/kept"));
        Assert.Equal("""{"error":"Unable to upload file."}""", await CurlAsync("-F", "other=@/etc/hostname", Url("upload")));
        Assert.Equal("""{"error":"Unable to upload file."}""", await CurlAsync("-d", "file=x", Url("upload")));
    }

    [Fact]
    public async Task Nothing_of_the_machine_is_seen_but_its_programs()
    {
        var home = Environment.GetEnvironmentVariable("HOME")!;
        var lab = node.LabDirectory;
        Assert.True(Directory.Exists(home));
        Assert.True(File.Exists(lab + "/kubeconfig"));
        string[] places =
        [
            home, lab, lab + "/kubeconfig", "/root", "/home", "/run", "/var", "/sys", "/mnt", "/opt", "/srv", "/boot", "/etc/shadow", "/etc/ssh", "/dev/pts", "/dev/ptmx", "/dev/tty",
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
        ];
        // By whatever way.
        Assert.Equal("/etc/passwd\n", await SaidAsync($"for each in {string.Join(' ', places)} /etc/passwd; do for by in '' /proc/1/root /proc/self/cwd/../../../..; do test -e $by$each && echo $by$each; done; done | head -n 1"));
        Assert.Empty((await SaidAsync("ls -A /")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Except(["bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "tmp", "uploads", "usr"]));
        Assert.DoesNotContain(Environment.UserName == "root" ? "daemon" : Environment.UserName, await SaidAsync("cat /etc/passwd"), StringComparison.Ordinal);
        foreach (var line in (await SaidAsync("cat /proc/self/mountinfo")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // 36 35 98:0 /root-of-it /where rw,noatime - ext4 /dev/root rw (proc_pid_mountinfo(5))
            var words = line.Split(' ');
            var (root, place, isReadOnly, type) = (words[3], words[4], words[5].Split(',')[0] == "ro", words[Array.IndexOf(words, "-") + 1]);
            Assert.True(isReadOnly || place is "/tmp" or "/uploads" or "/dev/shm", line);
            Assert.True(type is "tmpfs" or "proc" || ProgramRoot.Trees.Any(tree => place == tree || place.StartsWith(tree + "/", StringComparison.Ordinal)) || place.StartsWith("/dev/", StringComparison.Ordinal) || place.StartsWith("/proc/", StringComparison.Ordinal), line);
            Assert.DoesNotContain(lab, root, StringComparison.Ordinal);
        }
        Assert.DoesNotContain((await SaidAsync("env")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split('=')[0]),
            static name => name is not ("PATH" or "HOME" or "HOSTNAME" or "PWD" or "OLDPWD" or "SHLVL" or "_") && !name.StartsWith("KUBERNETES_", StringComparison.Ordinal));
        // Its input, and one pipe for what it says.
        Assert.Matches("^/dev/null\npipe:(.*)\npipe:\\1\n$", await SaidAsync("for each in /proc/$$/fd/*; do case $each in */[012]) readlink $each;; *) test -e $each && echo $each $(readlink $each);; esac; done; true"));
        Assert.Equal("", await SaidAsync("cat /proc/kcore /proc/keys /proc/timer_list 2> /dev/null; true"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"hostNetwork\":true,\"hostPID\":true,\"hostIPC\":true,")]
    [InlineData("\"shareProcessNamespace\":true,")]
    public async Task Nobody_but_its_own_is_met(string shared)
    {
        var name = _name + "s";
        _address = await StartAsync(name, shared, port: 8090);
        Assert.Equal("1\n", await SaidAsync("echo $$", 8090));
        // sh, and what it starts to look.
        Assert.InRange((await SaidAsync("ls /proc", 8090)).Split('\n').Count(static line => int.TryParse(line, out _)), 1, 2);
        // Names of sockets that are nobody's file are the network namespace's, a node's too.
        Assert.DoesNotContain("@", await SaidAsync("cat /proc/net/unix", 8090), StringComparison.Ordinal);
        Assert.Equal("", await SaidAsync("ipcs -qms | grep 0x", 8090, error: "exit status 1"));
        await node.DeleteAsync(name);
        await node.GoneAsync(name);
    }

    [Fact]
    public async Task It_has_no_rights_over_what_it_stands_on()
    {
        Assert.Equal($"CapInh:\t0000000000000000\nCapPrm:\t{Capabilities}\nCapEff:\t{Capabilities}\nCapBnd:\t{Capabilities}\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n", await SaidAsync("grep -E '^(Cap|NoNew)' /proc/self/status"));
        // Its own group is all that it sees of groups.
        Assert.Equal("1000\n0\n0::/\nSeccomp:\t2\n", await SaidAsync("cat /proc/self/oom_score_adj; ulimit -c; grep ^0: /proc/self/cgroup; grep ^Seccomp: /proc/self/status"));
        string[] attempts =
        [
            "mount -t tmpfs none /tmp", "mount -o remount,rw,bind /usr", "mount -o remount,rw,bind /proc", "umount -l /usr",
            "ip link add d0 type dummy", "ip address add 10.1.1.1/32 dev lo", "nft add table ip strangers", "hostname another",
            ": >> /proc/sys/net/ipv4/ip_forward", ": >> /proc/sys/kernel/core_pattern", ": >> /proc/sysrq-trigger", "mknod /tmp/disk b 8 0",
            "touch /usr/bin/x", "touch /etc/x", "touch /x", "ln -sfn /tmp /lib64", "chmod 666 /dev/null", "touch /usr", ": >> /etc/ld.so.cache",
            // What it was born with is not the machine's, and it is the first to go.
            "chmod 666 /dev/stdin", "chown 0:0 /dev/stdin", "touch /dev/stdin", "echo 0 > /proc/self/oom_score_adj", "setpriv --bounding-set +all grep CapBnd:.*ffff /proc/self/status",
        ];
        var met = (await SaidAsync(string.Join('\n', attempts.Select(static attempt => $"( {attempt} ) > /dev/null 2>&1; echo $?")))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // Neither done nor, for want of the program, never tried.
        Assert.DoesNotContain(attempts.Zip(met), static each => each.Second is "0" or "127");
        Assert.Equal(attempts.Length, met.Length);

        // Anybody may make a user namespace and be its root, but for the filter; each of these has a message of its own for whatever else would stop it later.
        string[] ways = ["-U true", "-Urm true", "-UmC --keep-caps mount -t cgroup2 none /tmp", "-Um --keep-caps mount -t tmpfs none /tmp", "-Um --keep-caps umount -l /usr", "-Urpf --mount-proc true", "-m true", "-n true", "-C true"];
        foreach (var way in ways)
        {
            Assert.Equal("unshare: unshare failed: Operation not permitted\n", await SaidAsync($"unshare {way} 2>&1", error: "exit status 1"));
        }
        Assert.Equal("of a pipe\n", await SaidAsync("echo of a pipe > /dev/null; echo of a pipe"));
    }

    [Fact]
    public async Task What_it_says_and_keeps_is_bounded()
    {
        var (said, error) = await AskAsync("yes");
        Assert.Equal((1 << 20, "signal: killed (more than 1048576 bytes of output)"), (said.Length, error));
        Assert.Contains("No space left on device", (await AskAsync("dd if=/dev/zero of=/tmp/much bs=1M count=100")).Output, StringComparison.Ordinal);
        Assert.Equal("""{"error":"Unable to write file."}""", await node.ExecAsync("asker", "c", "sh", "-c", $"head -c 20000000 /dev/zero > /tmp/much; curl -s -F file=@/tmp/much {Url("upload")}"));
        Assert.Equal("", await SaidAsync("ls /uploads"));
    }

    [Fact]
    public async Task A_command_that_hangs_and_forks_ends_with_its_pod_and_one_that_is_left_ends_with_what_started_it()
    {
        Assert.Equal("left\n", await SaidAsync("sleep 7117117 & sleep 7117117 & echo left"));
        Assert.Empty(Running("7117117"));

        var name = _name + "h";
        var address = await StartAsync(name, "");
        var hanging = node.ExecAsync("asker", "c", "curl", "-s", "-G", "--data-urlencode", "cmd=trap '' TERM HUP INT; for each in 1 2 3 4 5; do (setsid sleep 7227227 &); done; sleep 7227227", $"http://{address}:8080/shell");
        while (Running("7227227").Count < 6)
        {
            await Task.Delay(20, Cancel);
        }
        await node.DeleteAsync(name);
        await node.GoneAsync(name);
        Assert.Empty(Running("7227227"));
        await hanging;
    }

    [Fact]
    public async Task A_command_that_hangs_is_ended_when_its_minute_is_over()
    {
        using var place = new Place();
        var time = new HeldTime();
        var container = new ContainerSpec("c", "agnhost", [], ["netexec"]);
        await using var commands = new ConfinedCommands(place.Pod, container, new ContainerFiles(place.Files + "/c", place.Pod, container, null, ThisProgram.CommandLine), null, time);
        var running = commands.RunAsync("echo begun; sleep 7337337 & sleep 7337337", Cancel);
        while (Running("7337337").Count < 2)
        {
            await Task.Delay(20, Cancel);
        }
        Assert.Equal(TimeSpan.FromMinutes(1), await time.FireAsync());
        var (output, error) = await running;
        Assert.Equal(("begun\n", "signal: killed (after 60 s)"), (Encoding.UTF8.GetString(output), error));
        Assert.Empty(Running("7337337"));
    }

    [Fact]
    public async Task Files_that_do_not_come_keep_nobody_from_a_command_and_are_given_up_after_a_minute()
    {
        using var place = new Place();
        var time = new HeldTime();
        var container = new ContainerSpec("c", "agnhost", [], ["netexec"]);
        var commands = new ConfinedCommands(place.Pod, container, new ContainerFiles(place.Files + "/c", place.Pod, container, null, ThisProgram.CommandLine), null, time);
        var silent = new System.IO.Pipelines.Pipe();
        var sent = commands.KeepAsync(silent.Reader.AsStream(), Cancel);
        Assert.Equal(TimeSpan.FromMinutes(1), await time.FireAsync());
        Assert.Contains("60 s", (await Assert.ThrowsAsync<IOException>(() => sent)).Message, StringComparison.Ordinal);

        var slow = Enumerable.Range(0, 5).Select(_ => commands.KeepAsync(new System.IO.Pipelines.Pipe().Reader.AsStream(), Cancel)).ToList();
        var (output, _) = await commands.RunAsync("ls /uploads | wc -l", Cancel);
        Assert.Equal("4\n", Encoding.UTF8.GetString(output));
        Assert.All(slow, static upload => Assert.False(upload.IsCompleted));
        await commands.DisposeAsync();
        foreach (var upload in slow)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
        }
    }

    /// <summary>Each is answered otherwise, or done, where nothing filters it. Numbers of x86-64, as perl takes them.</summary>
    [Theory]
    [InlineData("unshare", "272, 0")]
    [InlineData("setns", "308, -1, 0")]
    [InlineData("add_key", "248, 0, 0, 0, 0, 0")]
    [InlineData("keyctl", "250, 0, -3, 0")]
    [InlineData("ptrace", "101, 0, 0, 0, 0")]
    [InlineData("process_vm_readv", "310, $$, 0, 0, 0, 0, 0")]
    [InlineData("kcmp", "312, $$, $$, 1, 0, 0")]
    [InlineData("name_to_handle_at", "303, -1, 0, 0, 0, 0")]
    [InlineData("socket of AF_ALG", "41, 38, 5, 0")]
    [InlineData("socket of AF_VSOCK", "41, 40, 1, 0")]
    [InlineData("clone with CLONE_NEWUSER", "56, 0x10000000, 0, 0, 0, 0")]
    [InlineData("clone3", "435, 0, 0", 38)]
    public async Task Calls_that_lead_out_are_refused(string call, string numbers, int errno = 1)
    {
        Assert.SkipUnless(System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64, "these are numbers of x86-64");
        var script = $"my $r = syscall({numbers}); print $r, ' ', $! + 0;";
        Assert.Equal($"{call}: -1 {errno}", $"{call}: {await SaidAsync($"perl -e \"{script.Replace("$", "\\$", StringComparison.Ordinal)}\"")}");
        // The witness: here, where nothing is refused.
        Assert.NotEqual($"-1 {errno}", await node.ExecAsync("asker", "c", "perl", "-e", script));
    }

    private static List<string> Running(string word)
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(static path => char.IsDigit(path[^1])))
        {
            try
            {
                if (File.ReadAllText(process + "/cmdline") is var line && line.StartsWith("sleep\0", StringComparison.Ordinal) && line.Contains(word, StringComparison.Ordinal))
                {
                    found.Add(line);
                }
            }
            catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
            {
            }
        }
        return found;
    }

    private string Url(string path) => $"http://{_address}:8080/{path}";

    private Task<string> CurlAsync(params string[] words) => node.ExecAsync("asker", "c", ["curl", "-s", .. words]);

    private async Task<(string Output, string Error)> AskAsync(string command, int port = 8080)
    {
        var answer = await CurlAsync("-G", "--data-urlencode", "cmd=" + command, $"http://{_address}:{port}/shell");
        var json = JsonNode.Parse(answer)!;
        return ((string?)json["output"] ?? "", (string?)json["error"] ?? "");
    }

    private async Task<string> SaidAsync(string command, int port = 8080, string error = "")
    {
        var (output, failed) = await AskAsync(command, port);
        Assert.True(failed == error, $"{command}: {failed}: {output}");
        return output;
    }

    private async Task<string> StartAsync(string name, string fields, int port = 8080)
    {
        if (await node.Api.FindAsync<Pod>("default", "asker", Cancel) is null)
        {
            await node.PodAsync("asker", """ "containers":[{"name":"c","image":"agnhost","args":["pause"]}] """);
        }
        await node.PodAsync(name, $$""" {{fields}}"containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port={{port}}","--udp-port=-1"]}] """);
        await node.UntilAsync("asker", static pod => pod.Status.Phase == "Running");
        return (await node.UntilAsync(name, static pod => pod.Status.Phase == "Running")).Status.PodIP!;
    }
}
