using System.Diagnostics;
using Plumb.Agent.Probing;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.Probing;

public sealed class KernelProbeTests
{
    private static readonly NetworkOptions Dual = new()
    {
        ClusterRanges = [IpPrefix.Parse("10.244.0.0/16"), IpPrefix.Parse("fd00:10:244::/56")],
        ServiceRanges = [IpPrefix.Parse("10.96.0.0/12"), IpPrefix.Parse("fd00:10:96::/112")],
    };

    public static TheoryData<OverlayKind, ServicesKind> Choices => [.. from overlay in Enum.GetValues<OverlayKind>() from services in Enum.GetValues<ServicesKind>() select (overlay, services)];

    /// <summary>The witness is <c>ip link add</c>: what it can make here is not told as lost, and what it cannot is.</summary>
    [Theory, MemberData(nameof(Choices))]
    public void What_this_kernel_lacks_is_what_ip_cannot_make(OverlayKind overlay, ServicesKind services)
    {
        var lost = KernelProbe.Run(Dual with { Overlay = overlay, Services = services });
        foreach (var kind in (string[])["veth", "bridge", "vxlan", "ifb"])
        {
            Assert.Equal(!IpMakes(kind), lost.Any(one => one.Line.Contains($" lacks {kind} ", StringComparison.Ordinal)));
        }
        Assert.Equal([], lost.Where(static one => one.Line.Contains("nf_tables", StringComparison.Ordinal) || one.IsNeeded));
    }

    /// <summary>Each beside what of it is needed: a node without vxlan wires no pods, one without ifb does not slow them.</summary>
    [Theory]
    [InlineData("type bridge", "lacks bridges (CONFIG_BRIDGE)", "no pod can be wired here", true)]
    [InlineData("link plumb-vxlan", "lacks vxlan devices", "--overlay routed", true)]
    [InlineData("type ifb", "lacks ifb devices", "pods are as fast as they can", false)]
    [InlineData("qdisc tbf", "lacks the queue tbf", "pods are as fast as they can", false)]
    [InlineData("qdisc clsact", "lacks the queue clsact", "pods are as fast as they can", false)]
    [InlineData("link plumb-mir0", "lacks vxlan devices", "plumb mirror", false)]
    [InlineData("table ip plumb", "lacks nf_tables", "no pod can be wired here", true)]
    [InlineData("ip_forward", "lacks kernel parameters that can be written", "no pod can be wired here", true)]
    public void What_is_lost_is_said_once_with_what_that_means(string refused, string feature, string without, bool isNeeded)
    {
        var fake = new FakeKernel(ImaginaryNode.Home) { Refuses = refused };
        fake.MakeNamespace("pod");
        using var kernel = fake.Open(Linux.State.IWriteSeam.None);
        var lost = Assert.Single(KernelProbe.Run(Dual, kernel, FakeKernel.Path("pod")), one => one.Line.Contains(feature, StringComparison.Ordinal));
        Assert.Contains(without, lost.Line, StringComparison.Ordinal);
        Assert.Equal(isNeeded, lost.IsNeeded);
    }

    [Fact]
    public void A_kernel_that_gives_all_is_told_nothing_of()
    {
        var fake = new FakeKernel(ImaginaryNode.Home);
        fake.MakeNamespace("pod");
        using var kernel = fake.Open(Linux.State.IWriteSeam.None);
        Assert.Empty(KernelProbe.Run(Dual, kernel, FakeKernel.Path("pod")));
    }

    [Theory]
    [InlineData("10.244.0.0/29", "10.96.0.0/32")]
    [InlineData("2001:db8::/64", "2001:db8::/112")]
    public void What_the_kernel_gives_depends_on_no_range(string pods, string services)
    {
        var lost = KernelProbe.Run(Dual with { ClusterRanges = [IpPrefix.Parse(pods)], ServiceRanges = [IpPrefix.Parse(services)] });
        Assert.Equal(KernelProbe.Run(Dual).Where(static one => one.IsNeeded), lost.Where(static one => one.IsNeeded));
        Assert.Equal([], lost.Where(static one => one.Line.Contains("what `", StringComparison.Ordinal)));
    }

    private static bool IpMakes(string kind)
    {
        using var space = NetworkNamespace.Create();
        var more = kind == "vxlan" ? "id 1 dstport 4789" : "";
        using var ip = Process.Start(new ProcessStartInfo("nsenter", $"--net={space.ProcPath} ip link add probe0 type {kind} {more}") { RedirectStandardError = true })!;
        ip.WaitForExit();
        return ip.ExitCode == 0;
    }
}
