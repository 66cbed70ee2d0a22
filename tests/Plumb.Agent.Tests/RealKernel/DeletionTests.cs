using Plumb.Linux.Namespaces;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.RealKernel;

public sealed class DeletionTests
{
    private const int AtOnce = 100;

    /// <summary>The kernel has told that the links are gone, but not yet freed them, when DEL answers.</summary>
    [Fact]
    public async Task When_a_hundred_have_been_deleted_nothing_of_them_is_there_and_the_same_can_be_added_at_once()
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Routed);
        var containers = Enumerable.Range(0, AtOnce).Select(static number => $"c{number}").ToList();
        var spaces = containers.ConvertAll(machines.MakeContainer);
        var before = await NamesAsync(machines.Nodes[1]);
        // Twice: addresses that are given back rest.
        for (var time = 0; time < 2; time++)
        {
            await Task.WhenAll(containers.Select(container => machines.ConnectAsync(1, container)));
            Assert.Equal(before.Count + AtOnce, (await NamesAsync(machines.Nodes[1])).Count);
            Assert.Equal(["lo", "eth0"], await NamesAsync(spaces[0]));

            await Task.WhenAll(containers.Select(container => machines.DeleteAsync(1, container)));

            if (time == 0)
            {
                continue; // with no look in between: the names and the namespaces are free
            }
            Assert.Equal(before, await NamesAsync(machines.Nodes[1]));
            foreach (var space in new[] { spaces[0], spaces[^1] })
            {
                Assert.Equal(["lo"], await NamesAsync(space));
            }
        }
    }

    [Fact]
    public async Task One_that_comes_and_goes_again_and_again_finds_its_name_free_each_time()
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Routed);
        var space = machines.MakeContainer("c1");
        for (var time = 0; time < 20; time++)
        {
            await machines.ConnectAsync(1, "c1");
            await machines.DeleteAsync(1, "c1");
        }
        Assert.Equal(["lo"], await NamesAsync(space));
    }

    private static async Task<List<string>> NamesAsync(NetworkNamespace inside) => [.. (await Witness.Json(inside, "ip -j link")).Select(static link => (string)link!["ifname"]!)];
}
