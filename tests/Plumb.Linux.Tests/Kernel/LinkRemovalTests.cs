using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.Kernel;

public sealed class LinkRemovalTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public async Task When_cables_are_removed_neither_end_is_there_and_their_names_are_free(int count)
    {
        using var world = new TwoNodes();
        var cables = Enumerable.Range(0, count).Select(static number => new LinkEntry(Node, $"veth{number}", new LinkType.Veth(Pod, $"eth{number}")) { Up = true, Master = "cni0" }).ToList();
        world.Kernels.Apply([Made(new LinkEntry(Node, "cni0", new LinkType.Bridge()) { Up = true })]);
        for (var time = 0; time < 5; time++)
        {
            world.Kernels.Apply([.. cables.Select(Made)]);
            Assert.Equal(count, (await NamesAsync(world.Pod1)).Count(static name => name.StartsWith("eth", StringComparison.Ordinal)));

            world.Kernels.Apply([.. cables.Select(static cable => new DeltaItem(null, cable))]);

            Assert.Equal(["lo", "cni0"], await NamesAsync(world.Node1));
            Assert.Equal(["lo"], await NamesAsync(world.Pod1));
            // With no look between going and coming, either.
            world.Kernels.Apply([.. cables.Select(Made)]);
            world.Kernels.Apply([.. cables.Select(static cable => new DeltaItem(null, cable))]);
        }
    }

    [Fact]
    public async Task Links_of_two_namespaces_go_at_the_same_time_and_each_call_knows_its_own()
    {
        using var world = new TwoNodes();
        using var other = new TwoNodes();
        await Task.WhenAll(new[] { world, other }.Select(static one => Task.Run(() =>
        {
            for (var time = 0; time < 20; time++)
            {
                var cable = new LinkEntry(Node, "veth0", new LinkType.Veth(Pod, "eth0"));
                one.Kernels.Apply([Made(cable)]);
                one.Kernels.Apply([new DeltaItem(null, cable)]);
                Assert.DoesNotContain(one.Kernels.Observe(Both).Entries.Keys, key => key.Kind == EntryKind.Link && key.Name != "lo");
            }
        })));
    }

    [Fact]
    public void What_the_kernel_will_not_remove_is_refused_by_name()
    {
        using var world = new TwoNodes();

        var refused = Assert.Throws<ApplyException>(() => world.Kernels.Apply([new DeltaItem(null, new LinkEntry(Node, "lo", new LinkType.Veth(Pod, "eth0")))]));

        Assert.Equal("lo", Assert.Single(refused.Refusals).Item.Key.Name);
    }

    [Fact]
    public void A_removal_that_comes_too_late_is_none()
    {
        using var world = new TwoNodes();
        world.Kernels.Apply([Made(new LinkEntry(Node, "veth0", new LinkType.Veth(Pod, "eth0")))]);

        world.Kernels.Apply([new DeltaItem(null, new LinkEntry(Node, "gone", new LinkType.Veth(Pod, "also"))), new DeltaItem(null, new LinkEntry(Node, "veth0", new LinkType.Veth(Pod, "eth0")))]);

        Assert.DoesNotContain(world.Kernels.Observe(Both).Entries.Keys, key => key.Kind == EntryKind.Link && key.Name != "lo");
    }

    private static DeltaItem Made(LinkEntry link) => new(new Desired(link), null);

    private static async Task<IEnumerable<string>> NamesAsync(NetworkNamespace inside) => (await Witness.Json(inside, "ip -j link")).Select(static link => (string)link!["ifname"]!);
}
