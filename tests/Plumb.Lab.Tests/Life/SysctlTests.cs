using System.Globalization;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Tests.Life;

/// <summary>`spec.securityContext.sysctls`, read back in the pod's namespaces.</summary>
public sealed class SysctlTests(OneNode node) : IClassFixture<OneNode>
{
    [Fact]
    public async Task Safe_parameters_are_the_pod_s_before_its_containers_run()
    {
        await node.PodAsync("safe", """
            "securityContext":{"sysctls":[{"name":"net.ipv4.ip_local_port_range","value":"20000 20100"},{"name":"net/ipv4/tcp_fin_timeout","value":"33"},
                {"name":"net.ipv4.ip_unprivileged_port_start","value":"700"},{"name":"kernel.shm_rmid_forced","value":"1"}]},
              "containers":[{"name":"c","image":"x","command":["sh","-c","cd /proc/sys; cat net/ipv4/ip_local_port_range net/ipv4/tcp_fin_timeout net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced; sleep 1000000"]}]
            """);
        await node.UntilAsync("safe", static one => one.Status.Phase == "Running");
        var said = await node.ExecAsync("safe", "c", "sh", "-c", "cd /proc/sys; cat net/ipv4/ip_local_port_range net/ipv4/tcp_fin_timeout net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced");
        if (said.EndsWith("\n0\n", StringComparison.Ordinal) && ContainerUser.IsNested)
        {
            // A kernel that gives ipc parameters to nobody but the machine's root.
            Assert.Contains("/proc/sys/kernel/shm_rmid_forced stays as it is", await node.EventAsync("safe", "SysctlNotWritten"), StringComparison.Ordinal);
            said = said[..^2] + "1\n";
        }
        Assert.Equal("20000\t20100\n33\n700\n1\n", said);
        // Of this namespace and no other.
        Assert.NotEqual("20000\t20100", (await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_local_port_range", TestContext.Current.CancellationToken)).Trim());
    }

    [Fact]
    public async Task Pods_that_ask_for_nothing_have_what_containerd_gives_them()
    {
        await node.PodAsync("default", """ "containers":[{"name":"c","image":"x","command":["sleep","1000000"]}] """);
        await node.UntilAsync("default", static one => one.Status.Phase == "Running");
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"0\n0\t{Math.Min(ContainerUser.LastGroup, int.MaxValue)}\n"),
            await node.ExecAsync("default", "c", "sh", "-c", "cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ping_group_range"));
    }

    [Theory]
    [InlineData("net.core.somaxconn", "\"net.core.somaxconn\" not allowlisted")]
    [InlineData("net/ipv4/conf/eth0.1/forwarding", "\"net.ipv4.conf.eth0/1.forwarding\" not allowlisted")]
    [InlineData("kernel.msgmax", "\"kernel.msgmax\" not allowlisted")]
    [InlineData("vm.swappiness", "\"vm.swappiness\" not allowlisted")]
    public async Task Others_are_refused_by_the_node(string name, string why)
    {
        var pod = "forbidden-" + name.Split('.', '/')[1].ToLowerInvariant();
        await node.PodAsync(pod, $$""" "securityContext":{"sysctls":[{"name":"{{name}}","value":"1"}]},"containers":[{"name":"c","image":"x","command":["sleep","1000000"]}] """);
        var status = (await node.UntilAsync(pod, static one => one.Status.Phase == "Failed")).Status;
        Assert.Equal(("SysctlForbidden", "Pod was rejected: forbidden sysctl: " + why), (status.Reason, status.Message));
        Assert.Empty(status.ContainerStatuses);
        Assert.Equal("SysctlForbidden: forbidden sysctl: " + why, await node.EventAsync(pod, "SysctlForbidden"));
        await node.DeleteAsync(pod);
        await node.GoneAsync(pod);
    }

    [Fact]
    public async Task A_value_that_the_kernel_refuses_is_said_and_tried_again()
    {
        await node.PodAsync("wrong", """ "securityContext":{"sysctls":[{"name":"net.ipv4.ip_local_port_range","value":"many"}]},"containers":[{"name":"c","image":"x"}] """);
        Assert.EndsWith("\"many\" to /proc/sys/net/ipv4/ip_local_port_range: Invalid argument (EINVAL)", await node.EventAsync("wrong", "FailedCreatePodSandBox"), StringComparison.Ordinal);
        await node.DeleteAsync("wrong");
        await node.GoneAsync("wrong");
    }
}
