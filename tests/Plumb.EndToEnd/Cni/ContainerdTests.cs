namespace Plumb.EndToEnd.Cni;

/// <summary>containerd as it is installed, on a machine of its own, asked for sandboxes as a kubelet asks; the node's agent beside it.</summary>
public sealed class ContainerdTests
{
    // Without a carrier's and a group's coming and going, which are the kernel's.
    private const string Network =
        "ip -br link | cut -d ' ' -f 1; ip neigh show nud permanent; bridge fdb show | grep -vE '^(33:33|01:00)'; sysctl net.ipv4.conf.cni0.route_localnet; nft list ruleset | grep -v counter";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact, Trait("Needs", "Root")]
    public async Task A_sandbox_of_containerd_has_an_address_while_it_lives_and_nothing_after()
    {
        RuntimeMachine.Needs("containerd");
        await using var machine = await RuntimeMachine.StartAsync();
        using var runtime = await Containerd.StartAsync(machine);
        Assert.Contains("cni plugin not initialized", await runtime.NetworkTroubleAsync(), StringComparison.Ordinal);
        var agent = await machine.StartAgentAsync();
        await RuntimeMachine.WaitAsync(async () => await runtime.NetworkTroubleAsync() == "");
        var before = await machine.InsideAsync("sh", "-c", Network);

        var first = await runtime.RunAsync("first", [new HostPort(8080, 80)]);
        var second = await runtime.RunAsync("second", []);

        var address = await runtime.AddressAsync(second);
        Assert.Matches(@"^10\.244\.1\.\d+$", address);
        Assert.NotEqual(address, await runtime.AddressAsync(first));
        await machine.InsideAsync("ping", "-c", "1", "-w", "30", address);
        Assert.Contains("8080", await machine.InsideAsync("nft", "list", "map", "ip", "plumb", "hostports"), StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<RuntimeException>(() => runtime.RunAsync("third", [new HostPort(8080, 80)]));
        Assert.Contains("8080", refused.Message, StringComparison.Ordinal);

        // Without an agent a sandbox keeps its network, and cannot end: the runtime's caller asks again.
        agent.Kill();
        await agent.WaitForExitAsync(Cancel);
        await machine.InsideAsync("ping", "-c", "1", "-w", "30", address);
        Assert.Contains("plumb", (await Assert.ThrowsAsync<RuntimeException>(() => runtime.StopAsync(second))).Message, StringComparison.Ordinal);
        await machine.StartAgentAsync();
        await machine.InsideAsync("ping", "-c", "1", "-w", "30", address);
        await RuntimeMachine.WaitAsync(async () =>
        {
            try
            {
                await runtime.StopAsync(second);
                return true;
            }
            catch (RuntimeException)
            {
                return false;
            }
        });
        await runtime.StopAsync(second);
        await runtime.StopAsync(first);
        await runtime.RemoveAsync(second);
        await runtime.RemoveAsync(first);

        Assert.Equal(before, await machine.InsideAsync("sh", "-c", Network));
        Assert.Empty(Directory.EnumerateFiles(machine.PathOf("state/leases")));
        Assert.Equal("", await machine.InsideAsync("ls", "/run/netns"));
    }
}
