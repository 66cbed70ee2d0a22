using System.Globalization;
using Plumb.Lab.Images;
using Plumb.Lab.Tests.Life;

namespace Plumb.Lab.Tests.Images;

/// <summary>What containers of images may do: the kernel's own words, read by busybox inside them.</summary>
public sealed class PrivilegeTests : IAsyncLifetime
{
    // What `docker run busybox grep CapEff /proc/self/status` says.
    private const ulong Default = 0xa80425fb;

    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-privileges-").FullName;
    private OneNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = new OneNode { Images = new Dictionary<string, string> { ["busybox"] = new ImageStore(_directory + "/cache").Take(ImageStoreTests.BusyBox(_directory), out _) } };
        await _node.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Containers_have_the_capabilities_of_a_runtime_s_default_and_what_they_ask_for()
    {
        var all = Lines(await File.ReadAllTextAsync("/proc/self/status", TestContext.Current.CancellationToken))["CapBnd"];
        (string Name, string Context, ulong Bounding, bool IsRoot, bool NoNew)[] containers =
        [
            ("plain", "{}", Default, true, false),
            ("none", """ {"capabilities":{"drop":["ALL"]},"allowPrivilegeEscalation":false} """, 0, true, true),
            ("more", """ {"capabilities":{"add":["NET_ADMIN","CAP_SYS_PTRACE"],"drop":["cap_chown"]}} """, (Default | 1 << 12 | 1 << 19) & ~1UL, true, false),
            ("one", """ {"capabilities":{"add":["net_raw"],"drop":["all"]}} """, 1 << 13, true, false),
            ("all", """ {"capabilities":{"add":["ALL"],"drop":["SYS_ADMIN"]}} """, all & ~(1UL << 21), true, false),
            ("privileged", """ {"privileged":true} """, all, true, false),
            ("user", """ {"runAsUser":1234} """, Default, false, false),
            ("user-more", """ {"runAsUser":1234,"capabilities":{"add":["NET_ADMIN"]},"allowPrivilegeEscalation":false} """, Default | 1 << 12, false, true),
        ];
        await _node.PodAsync("p", $""" "containers":[{string.Join(',', containers.Select(static one => $$"""{"name":"{{one.Name}}","image":"busybox","command":["sh","-c","cat /proc/self/status; sleep 1000000"],"securityContext":{{one.Context}}}"""))}] """);
        await _node.UntilAsync("p", static one => one.Status.Phase == "Running");
        foreach (var (name, _, bounding, isRoot, noNew) in containers)
        {
            var expected = bounding & all;
            // What a probe or kubectl exec starts beside it is no stronger.
            foreach (var said in (string[])[await _node.LogAsync("p", name), await _node.ExecAsync("p", name, "cat", "/proc/self/status")])
            {
                var lines = Lines(said);
                var held = isRoot ? expected : 0;
                Assert.Equal(
                    (name, Hex(expected), Hex(held), Hex(held), "0", "0", noNew),
                    (name, Hex(lines["CapBnd"]), Hex(lines["CapEff"]), Hex(lines["CapPrm"]), Hex(lines["CapInh"]), Hex(lines["CapAmb"]), lines["NoNewPrivs"] == 1));
            }
        }
        // As many on the next call: what a thread gives up for one is not the others' loss.
        Assert.Equal(Hex(all), Hex(Lines(await _node.ExecAsync("p", "privileged", "cat", "/proc/self/status"))["CapEff"]));
    }

    [Fact]
    public async Task Where_the_machine_s_files_stand_in_for_an_image_what_is_stated_counts()
    {
        await _node.PodAsync("machine", """
            "containers":[{"name":"raw","image":"elsewhere","command":["sleep","1000000"],"securityContext":{"capabilities":{"add":["NET_RAW"],"drop":["ALL"]},"allowPrivilegeEscalation":false}},
              {"name":"own","image":"elsewhere","command":["sleep","1000000"]}]
            """);
        await _node.UntilAsync("machine", static one => one.Status.Phase == "Running");
        var raw = Lines(await _node.ExecAsync("machine", "raw", "cat", "/proc/1/status", "/proc/self/status"));
        Assert.Equal(("2000", "2000", 1UL), (Hex(raw["CapEff"]), Hex(raw["CapBnd"]), raw["NoNewPrivs"]));
        Assert.Equal(Lines(await File.ReadAllTextAsync("/proc/self/status", TestContext.Current.CancellationToken))["CapBnd"], Lines(await _node.ExecAsync("machine", "own", "cat", "/proc/self/status"))["CapEff"]);
    }

    [Fact]
    public async Task A_capability_that_there_is_not_is_said_and_nothing_starts()
    {
        await _node.PodAsync("unknown", """ "containers":[{"name":"c","image":"busybox","command":["sleep","1"],"securityContext":{"capabilities":{"add":["NET_ADMINS"]}}}] """);
        var pod = await _node.UntilAsync("unknown", static one => one.Status.ContainerStatuses is [{ State.Waiting.Reason: "CreateContainerError" }]);
        const string why = "securityContext.capabilities.add: unknown capability \"NET_ADMINS\"; man 7 capabilities has their names";
        Assert.Equal(why, pod.Status.ContainerStatuses[0].State!.Waiting!.Message);
        Assert.Equal("Failed: Error: " + why, await _node.EventAsync("unknown", "Failed"));
    }

    [Fact]
    public Task The_kernel_s_files_are_read_only_or_hidden() => KernelFilesAreShieldedAsync();

    /// <summary>There the kernel would take orders from the container's root.</summary>
    [Fact, Trait("Needs", "Root")]
    public async Task In_root_s_lab_too()
    {
        Assert.False(Linux.Containers.ContainerUser.IsNested);
        await KernelFilesAreShieldedAsync();
        await DevicesAreRefusedAsync();
        // The API takes it from a pod that wants a user namespace of its own, and this lab has none to give.
        await _node.PodAsync("unmasked", """ "hostUsers":false,"containers":[{"name":"c","image":"busybox","command":["sleep","1000000"],"securityContext":{"procMount":"Unmasked","capabilities":{"add":["NET_ADMIN"]}}}] """);
        await _node.UntilAsync("unmasked", static one => one.Status.Phase == "Running");
        await _node.EventAsync("unmasked", "ProcMountMasked");
        await _node.EventAsync("unmasked", "UserNamespaceShared");
        Assert.Contains("Read-only file system", await OpenAsync("unmasked", "c", "/proc/sys/net/ipv4/ip_forward"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Network_tools_do_what_their_capabilities_permit()
    {
        await _node.PodAsync("net", """
            "containers":[{"name":"plain","image":"busybox","command":["sleep","1000000"]},
              {"name":"admin","image":"busybox","command":["sleep","1000000"],"securityContext":{"capabilities":{"add":["NET_ADMIN"]}}},
              {"name":"none","image":"busybox","command":["sleep","1000000"],"securityContext":{"capabilities":{"drop":["ALL"]},"allowPrivilegeEscalation":false}},
              {"name":"user","image":"busybox","command":["sleep","1000000"],"securityContext":{"runAsUser":1234,"runAsGroup":1234}}]
            """);
        await _node.UntilAsync("net", static one => one.Status.Phase == "Running");
        Assert.Contains("not permitted", await _node.ExecAsync("net", "plain", "busybox", "ip", "route", "add", "198.51.100.0/24", "dev", "lo"), StringComparison.Ordinal);
        Assert.Equal("", await _node.ExecAsync("net", "admin", "busybox", "ip", "route", "add", "198.51.100.0/24", "dev", "lo"));
        Assert.Contains("198.51.100.0/24", await _node.ExecAsync("net", "plain", "busybox", "ip", "route"), StringComparison.Ordinal);
        // This ping knows raw sockets only; the groups' right to echo requests is for others. Ports below 1024 are everybody's.
        foreach (var (container, port, ping) in ((string, int, string)[])[("plain", 80, "1 packets received"), ("none", 81, "permission denied"), ("user", 82, "permission denied")])
        {
            Assert.Contains(ping, await _node.ExecAsync("net", container, "sh", "-c", "busybox ping -c 1 -W 20 127.0.0.1 2>&1"), StringComparison.Ordinal);
            Assert.StartsWith("0\t", await _node.ExecAsync("net", container, "cat", "/proc/sys/net/ipv4/ping_group_range"), StringComparison.Ordinal);
            Assert.Equal("open\n", await _node.ExecAsync("net", container, "sh", "-c", $"busybox httpd -p 127.0.0.1:{port} -h / && echo open"));
        }
    }

    private async Task KernelFilesAreShieldedAsync()
    {
        await _node.PodAsync("kernel", """
            "containers":[{"name":"c","image":"busybox","command":["sleep","1000000"],"securityContext":{"capabilities":{"add":["NET_ADMIN"]}}},
              {"name":"whole","image":"busybox","command":["sleep","1000000"],"securityContext":{"privileged":true}}]
            """);
        await _node.UntilAsync("kernel", static one => one.Status.Phase == "Running");
        var mounts = Mounts(await _node.ExecAsync("kernel", "c", "cat", "/proc/self/mountinfo"));
        foreach (var path in (string[])
            [
                "/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/acpi", "/proc/scsi", "/proc/interrupts", "/sys/firmware",
            ])
        {
            if (Path.Exists(path))
            {
                Assert.True(mounts.TryGetValue(path, out var options), $"{path} is no mount of its own");
                Assert.Contains("ro", options);
            }
        }
        Assert.Contains("ro", mounts["/sys"]);
        Assert.Equal("", await _node.ExecAsync("kernel", "c", "sh", "-c", "cat /proc/keys /proc/timer_list; ls /sys/firmware"));
        Assert.Contains("Read-only file system", await OpenAsync("kernel", "c", "/proc/sys/net/ipv4/ip_forward"), StringComparison.Ordinal);
        Assert.DoesNotContain("/proc/sys", Mounts(await _node.ExecAsync("kernel", "whole", "cat", "/proc/self/mountinfo")).Keys);
        Assert.Equal("", await OpenAsync("kernel", "whole", "/proc/sys/net/ipv4/ip_forward"));
    }

    /// <summary>One that does no harm stands for all: a second <c>/dev/null</c>.</summary>
    private async Task DevicesAreRefusedAsync()
    {
        await _node.PodAsync("devices", """
            "volumes":[{"name":"v","emptyDir":{}}],
            "containers":[{"name":"c","image":"busybox","command":["sleep","1000000"],"volumeMounts":[{"name":"v","mountPath":"/v"}]},
              {"name":"ro","image":"busybox","command":["sleep","1000000"],"volumeMounts":[{"name":"v","mountPath":"/v"}],"securityContext":{"readOnlyRootFilesystem":true}},
              {"name":"whole","image":"busybox","command":["sleep","1000000"],"securityContext":{"privileged":true}}]
            """);
        await _node.UntilAsync("devices", static one => one.Status.Phase == "Running");
        foreach (var (container, place) in ((string, string)[])[("c", ""), ("c", "/dev"), ("c", "/dev/shm"), ("c", "/v"), ("ro", "/dev"), ("ro", "/v")])
        {
            var device = $"{place}/null-{container}";
            Assert.Equal("", await _node.ExecAsync("devices", container, "busybox", "mknod", device, "c", "1", "3"));
            Assert.Contains("Permission denied", await OpenAsync("devices", container, device), StringComparison.Ordinal);
            Assert.Equal("", await OpenAsync("devices", container, "/dev/null"));
        }
        // The machine's own: it has this mode already.
        Assert.Contains("Read-only file system", await _node.ExecAsync("devices", "c", "busybox", "chmod", "666", "/dev/null"), StringComparison.Ordinal);
        Assert.Equal("", await _node.ExecAsync("devices", "whole", "sh", "-c", "busybox mknod /null c 1 3 && : >> /null"));
    }

    // Opened for writing, and nothing is written: a parameter of the pod's own network.
    private Task<string> OpenAsync(string pod, string container, string path) => _node.ExecAsync(pod, container, "sh", "-c", $": >> {path}");

    private static Dictionary<string, string[]> Mounts(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' '))
        .GroupBy(static fields => fields[4]).ToDictionary(static mount => mount.Key, static mount => mount.Last()[5].Split(','));

    private static Dictionary<string, ulong> Lines(string status) => status.Split('\n').Where(static line => line.StartsWith("Cap", StringComparison.Ordinal) || line.StartsWith("NoNewPrivs", StringComparison.Ordinal))
        .Select(static line => line.Split(":\t")).GroupBy(static parts => parts[0]).ToDictionary(static parts => parts.Key, static parts => ulong.Parse(parts.Last()[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static string Hex(ulong set) => set.ToString("x", CultureInfo.InvariantCulture);
}
