using Plumb.Diagnosis.Machines;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Processes;

namespace Plumb.Diagnosis.Tests.Machines;

public sealed class ResidentTests
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Kubelet = $"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1a2b3c4d_0000_4000_8000_0123456789ab.slice/cri-containerd-{Id}.scope";

    private static readonly IpAddress Address = IpAddress.V4(10, 22, 0, 2);

    [Fact]
    public void A_pod_is_known_by_what_its_runtime_told_the_plugins()
    {
        var remembered = new CniAttachment("feed", "net", "shop", "web-0", ["/var/run/netns/cni-1"], []);
        Assert.Equal("shop/web-0", Of(["/run/netns/cni-1"], [], remembered).FullName);
        Assert.Equal("shop/web-0", Of([], [], remembered with { Sandboxes = [], Addresses = [Address] }).FullName);
        Assert.Equal("shop/web-0", Of([], [new ProcessFacts(7, "pause", Kubelet, null)], remembered with { Sandboxes = [], ContainerId = Id }).FullName);
        // A lease says less than the result of the call, wherever it stands.
        Assert.Equal("shop/web-0", Of(["/run/netns/cni-1"], [], new CniAttachment("feed", "net", null, null, [], [Address]), remembered).FullName);
    }

    [Theory]
    [InlineData("blue", "/run/netns/blue", null, null)] // by a person
    [InlineData("web-0", "/run/netns/cni-0c862d15-9a7a-e0fc-de58-ffbb8b62de13", Kubelet, "web-0")]
    [InlineData("app", null, $"/system.slice/docker-{Id}.scope", "app")]
    [InlineData("nginx", null, $"/system.slice/docker-{Id}.scope", "host")] // of the host's network
    [InlineData("nginx", null, "/user.slice", "host")]
    public void Others_are_named_by_the_best_that_is_known(string expected, string? mount, string? group, string? host) =>
        Assert.Equal(expected, Of(mount is null ? [] : [mount], group is null ? [] : [new ProcessFacts(7, "nginx", group, host)]).Name);

    [Fact]
    public void Where_nobody_lives_the_namespace_has_its_number()
    {
        Assert.Equal("netns-4026532345", Of([], []).Name);
        Assert.Equal("cni-1", Of(["/run/netns/cni-1"], []).Name);
    }

    [Theory]
    [InlineData(Kubelet, "containerd", "1a2b3c4d-0000-4000-8000-0123456789ab")]
    [InlineData($"/kubepods/burstable/pod1a2b3c4d-0000-4000-8000-0123456789ab/{Id}", "a kubelet's runtime", "1a2b3c4d-0000-4000-8000-0123456789ab")]
    [InlineData($"/system.slice/docker-{Id}.scope", "Docker", null)]
    [InlineData($"/docker/{Id}", "Docker", null)]
    [InlineData($"/machine.slice/libpod-{Id}.scope/container", "podman", null)]
    [InlineData("/user.slice/user-1000.slice", null, null)]
    public void A_control_group_names_the_container_its_runtime_and_its_pod(string group, string? runtime, string? pod)
    {
        var process = new ProcessFacts(7, "x", group, null);
        Assert.Equal((runtime is null ? null : Id, runtime, pod), (process.ContainerId, process.Runtime, process.PodUid));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"containerId": 1, "cniArgs": [["K8S_POD_NAME"], "x"], "result": {"ips": [{"address": "x"}], "interfaces": 1}}""")]
    public void What_is_no_result_of_a_plugin_is_passed_over(string text) => Assert.Null(CniAttachment.OfResult("x", text));

    [Fact]
    public void Results_and_leases_are_read_in_each_of_their_forms()
    {
        var now = CniAttachment.OfResult(
            "net-feed-eth0",
            """{"kind": "cniCacheV1", "containerId": "feed", "networkName": "net", "cniArgs": [["K8S_POD_NAMESPACE", "shop"], ["K8S_POD_NAME", "web-0"]], "result": {"interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": "/run/netns/x"}], "ips": [{"address": "10.22.0.2/24"}]}}""")!;
        Assert.Equal(("feed", "net", "shop", "web-0"), (now.ContainerId, now.Network, now.PodNamespace, now.PodName));
        Assert.Equal(("/run/netns/x", Address), (Assert.Single(now.Sandboxes), Assert.Single(now.Addresses)));
        var before = CniAttachment.OfResult("my-net-feed-eth0", """{"cniVersion": "0.3.1", "ips": [{"version": "4", "address": "10.22.0.2/24"}]}""")!;
        Assert.Equal(("feed", "my-net", Address), (before.ContainerId, before.Network, Assert.Single(before.Addresses)));
        var lease = CniAttachment.OfLease("net", "10.22.0.2", "feed\r\neth0")!;
        Assert.Equal(("feed", "net", Address), (lease.ContainerId, lease.Network, Assert.Single(lease.Addresses)));
        Assert.Null(CniAttachment.OfLease("net", "last_reserved_ip.0", "10.22.0.2"));
    }

    private static Resident Of(string[] mounts, ProcessFacts[] processes, params CniAttachment[] attachments) =>
        Resident.Of(new HeldNamespace(4026532345, "/proc/7/ns/net", [.. processes.Select(static process => process.Id)], mounts), processes, [Address], attachments, "host");
}
