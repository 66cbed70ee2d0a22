using Plumb.Linux.Namespaces;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.RealKernel;

/// <summary>What somebody does to the wire while an agent runs.</summary>
public sealed class WireTests
{
    [Fact]
    public async Task The_overlay_and_all_pods_follow_the_wires_MTU_and_nothing_that_fits_is_lost()
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Vxlan);
        var (older, _) = await machines.AddAsync(1, "older");
        var (_, far) = await machines.AddAsync(2, "far");
        await Witness.Run(older, "ping", "-c", "1", "-w", "30", "-M", "do", "-s", "1400", far.ToString());

        foreach (var node in machines.Nodes.Values)
        {
            await Witness.Shell(node, "ip link set eth0 mtu 1400");
        }

        foreach (var node in machines.Nodes.Values)
        {
            while (await MtuAsync(node, "plumb-vxlan") != 1350)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
        var (newer, _) = await machines.AddAsync(1, "newer");
        // 8 bytes of ICMP and 20 of IP are around it.
        foreach (var pod in (NetworkNamespace[])[older, newer])
        {
            Assert.Equal(1350, await MtuAsync(pod, "eth0"));
            await Witness.Run(pod, "ping", "-c", "1", "-w", "30", "-M", "do", "-s", "1322", far.ToString());
        }
    }

    private static async Task<int> MtuAsync(NetworkNamespace inside, string device) =>
        (int)(await Witness.Json(inside, $"ip -j link show {device}"))[0]!["mtu"]!;
}
