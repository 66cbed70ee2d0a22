namespace Plumb.Lab.Tests.Life;

/// <summary>What containers share with one another and with their node, and what they may not write or be.</summary>
public sealed class NamespaceTests(OneNode node) : IClassFixture<OneNode>
{
    [Fact]
    public async Task Containers_that_share_their_processes_see_each_other_s_and_their_orphans_are_reaped()
    {
        await node.PodAsync("shared", """
            "shareProcessNamespace":true,"containers":[
              {"name":"a","image":"busybox","command":["sh","-c","exec -a server sleep infinity"]},
              {"name":"b","image":"busybox","command":["bash","-c","(sleep 0.1 & exec true); exec -a watcher sleep infinity"]}]
            """.Replace("\"sh\",\"-c\",\"exec", "\"bash\",\"-c\",\"exec", StringComparison.Ordinal));
        var pod = await node.UntilAsync("shared", static one => one.Status.ContainerStatuses is [{ State.Running: not null }, { State.Running: not null }]);
        // Each is a shell before it is what it is called.
        string seen;
        do
        {
            seen = await node.ExecAsync("shared", "b", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
        }
        while (!seen.Contains("server infinity", StringComparison.Ordinal) || !seen.Contains("watcher infinity", StringComparison.Ordinal));
        Assert.NotEqual("server", (await node.ExecAsync("shared", "a", "cat", "/proc/1/comm")).Trim());
        while ((await node.ExecAsync("shared", "a", "sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status")).Length > 0)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        // One that ends takes nobody with it, and its pod takes all.
        await node.ExecAsync("shared", "b", "pkill", "-f", "watcher");
        await node.UntilAsync("shared", static one => one.Status.ContainerStatuses is [{ RestartCount: 0, State.Running: not null }, { RestartCount: 1, State.Running: not null }]);
        await node.DeleteAsync("shared");
        await node.GoneAsync("shared");
        Assert.Empty(node.FilesOf(pod.Metadata.Uid!));
    }

    [Fact]
    public async Task A_pod_may_have_the_processes_and_the_ipc_of_its_node()
    {
        await node.PodAsync("host", """ "hostPID":true,"hostIPC":true,"containers":[{"name":"c","image":"busybox","command":["sleep","infinity"]}] """);
        await node.PodAsync("host-rooted", """ "hostPID":true,"hostIPC":true,"containers":[{"name":"c","image":"busybox","command":["sleep","infinity"],"securityContext":{"readOnlyRootFilesystem":true}}] """);
        await node.PodAsync("own", """ "containers":[{"name":"c","image":"busybox","command":["sleep","infinity"]}] """);
        foreach (var name in (string[])["host", "host-rooted", "own"])
        {
            await node.UntilAsync(name, static one => one.Status.Phase == "Running");
        }
        Assert.Equal(new FileInfo("/proc/self/ns/pid").LinkTarget, await LinkAsync("host", "pid"));
        Assert.Equal(new FileInfo("/proc/self/ns/pid").LinkTarget, await LinkAsync("host-rooted", "pid"));
        Assert.NotEqual(new FileInfo("/proc/self/ns/pid").LinkTarget, await LinkAsync("own", "pid"));
        Assert.Equal(await LinkAsync("host", "ipc"), await LinkAsync("host-rooted", "ipc"));
        Assert.NotEqual(await LinkAsync("host", "ipc"), await LinkAsync("own", "ipc"));
        // What it leaves ends with it all the same.
        await node.DeleteAsync("host");
        await node.GoneAsync("host");

        async Task<string> LinkAsync(string pod, string kind) => (await node.ExecAsync(pod, "c", "readlink", "/proc/self/ns/" + kind)).Trim();
    }

    [Fact]
    public async Task Of_a_root_that_is_to_be_read_only_volumes_are_written_to_and_nothing_else()
    {
        await node.PodAsync("sealed", """
            "volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","image":"busybox","command":["sleep","infinity"],
              "securityContext":{"readOnlyRootFilesystem":true},"volumeMounts":[{"name":"v","mountPath":"/plumb-v"},{"name":"v","subPath":"deep","mountPath":"/plumb-v/again"}]}]
            """);
        await node.UntilAsync("sealed", static one => one.Status.Phase == "Running");
        foreach (var place in (string[])["/x", "/etc/x", "/tmp/x", "/usr/x"])
        {
            Assert.Contains("Read-only file system", await node.ExecAsync("sealed", "c", "sh", "-c", "echo x > " + place), StringComparison.Ordinal);
        }
        Assert.Equal("x\n", await node.ExecAsync("sealed", "c", "sh", "-c", "echo x > /plumb-v/again/x; cat /plumb-v/deep/x; echo y > /dev/null"));
    }

    [Fact]
    public async Task A_user_that_cannot_be_had_is_told_and_root_is_refused_where_it_must_not_be()
    {
        await node.PodAsync("somebody", """ "securityContext":{"runAsUser":1000,"fsGroup":2000},"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","image":"busybox","command":["id","-u"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}] """);
        Assert.Contains("user 1000, group 0, 2000", await node.EventAsync("somebody", "UserSubstituted"), StringComparison.Ordinal);
        Assert.Contains("were to be of group 2000", await node.EventAsync("somebody", "OwnerSubstituted"), StringComparison.Ordinal);
        await node.PodAsync("not-root", """ "restartPolicy":"Never","containers":[{"name":"c","image":"busybox","command":["true"],"securityContext":{"runAsNonRoot":true,"runAsUser":0}}] """);
        await node.UntilAsync("not-root", static one => one.Status.ContainerStatuses is [{ State.Terminated.Message: "container has runAsNonRoot and image will run as root" }]);
    }

    [Fact]
    public async Task A_container_that_forks_without_end_is_gone_when_its_pod_is()
    {
        // Not as fast as it could: the machine is not its own.
        var mark = $"31415{Random.Shared.Next(100_000, 999_999)}";
        await node.PodAsync("bomb", $$""" "containers":[{"name":"c","image":"busybox","command":["sh","-c","while :; do (sleep {{mark}} & setsid sleep {{mark}} &) ; sleep 0.01; done"]}] """);
        await node.UntilAsync("bomb", static one => one.Status.Phase == "Running");
        while (Count() < 50)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        await node.Api.DeleteAsync<Kubernetes.Objects.Pod>("default", "bomb", cancel: TestContext.Current.CancellationToken);
        await node.GoneAsync("bomb");
        Assert.Equal(0, Count());

        int Count()
        {
            var found = 0;
            foreach (var process in Directory.GetDirectories("/proc"))
            {
                try
                {
                    found += char.IsAsciiDigit(Path.GetFileName(process)[0]) && File.ReadAllText(process + "/cmdline").Contains("\0" + mark, StringComparison.Ordinal) ? 1 : 0;
                }
                catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
                {
                    // It has just ended.
                }
            }
            return found;
        }
    }
}
