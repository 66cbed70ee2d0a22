using System.Text.Json.Nodes;

namespace Plumb.EndToEnd.Cni;

/// <summary>Plumb's plugin with the reference plugins (Debian's <c>containernetworking-plugins</c>) behind it in one configuration, called by containerd.</summary>
public sealed class ChainTests
{
    private const string Mac = "c2:11:22:33:44:55";

    // What Plumb's own capabilities would do is left to those behind it.
    private const string Chain =
        $$$"""
        {"cniVersion": "1.0.0", "name": "chain", "plugins": [
          {"type": "plumb-cni", "socket": "SOCKET"},
          {"type": "tuning", "sysctl": {"net.core.somaxconn": "77"}, "mac": "{{{Mac}}}"},
          {"type": "bandwidth", "capabilities": {"bandwidth": true}},
          {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]}
        """;

    private const string Network =
        """
        ip -br link | cut -d ' ' -f 1; ip route show table all | sed 's/ linkdown//'; ip neigh show nud permanent; bridge fdb show | grep -vE '^(33:33|01:00)'
        tc qdisc; iptables-save | sed -E 's/^#.*//; s/\[[0-9:]+\]//'; nft list table ip plumb | grep -v counter
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact, Trait("Needs", "Root")]
    public async Task Tuning_bandwidth_and_portmap_do_their_part_behind_Plumb_and_nothing_is_left()
    {
        RuntimeMachine.Needs("containerd");
        await using var machine = await RuntimeMachine.StartAsync();
        await machine.OutsideAsync("ln -s /usr/lib/cni/tuning /usr/lib/cni/bandwidth /usr/lib/cni/portmap bin/");
        await File.WriteAllTextAsync(machine.PathOf("net.d/05-chain.conflist"), Chain.Replace("SOCKET", machine.PathOf("cni.sock"), StringComparison.Ordinal), Cancel);
        await machine.StartAgentAsync();
        using var runtime = await Containerd.StartAsync(machine);
        // portmap keeps the chains that it makes when it is first used.
        await EndAsync(runtime, await runtime.RunAsync("zeroth", [new HostPort(8080, 80)]));
        var before = await machine.InsideAsync("sh", "-c", Network);

        var web = await runtime.RunAsync("web", [new HostPort(8080, 80)], ("kubernetes.io/ingress-bandwidth", "8M"), ("kubernetes.io/egress-bandwidth", "16M"));

        var address = await runtime.AddressAsync(web);
        var inWeb = await machine.InNamespaceOfAsync(address);
        Assert.Equal("77", (await machine.InsideAsync([.. inWeb, "sysctl", "-n", "net.core.somaxconn"])).Trim());
        Assert.Contains(Mac, await machine.InsideAsync([.. inWeb, "ip", "link", "show", "eth0"]), StringComparison.Ordinal);
        var queues = await machine.InsideAsync("tc", "qdisc");
        Assert.Contains("rate 8Mbit", queues, StringComparison.Ordinal);
        Assert.Contains("rate 16Mbit", queues, StringComparison.Ordinal);
        Assert.Contains($"--to-destination {address}:80", await machine.InsideAsync("iptables-save", "-t", "nat"), StringComparison.Ordinal);
        // Its interface has the hardware address that tuning gave, of which containerd tells nobody and for which it calls no CHECK.
        await RuntimeMachine.WaitAsync(async () => (await machine.InsideAsync("ip", "neigh", "show", address)).Contains($"{Mac} PERMANENT", StringComparison.Ordinal));
        var server = machine.Start([.. inWeb, "busybox", "httpd", "-f", "-p", "80", "-h", machine.PathOf("net.d")]);
        await AnswersAsync(machine, $"http://{address}/");
        await AnswersAsync(machine, $"http://{RuntimeMachine.Address}:8080/");
        server.Kill();
        await EndAsync(runtime, web);

        var plain = await runtime.RunAsync("plain", [], ("kubernetes.io/ingress-bandwidth", "8M"));
        await CheckAsync(machine, plain);
        var inPlain = await machine.InNamespaceOfAsync(await runtime.AddressAsync(plain));
        await machine.InsideAsync([.. inPlain, "sysctl", "-qw", "net.core.somaxconn=78"]);
        Assert.Contains("somaxconn", (await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => CheckAsync(machine, plain))).Message, StringComparison.Ordinal);
        await machine.InsideAsync([.. inPlain, "sysctl", "-qw", "net.core.somaxconn=77"]);
        await machine.InsideAsync([.. inPlain, "ip", "route", "del", "default"]);
        Assert.Contains("default", (await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => CheckAsync(machine, plain))).Message, StringComparison.Ordinal);
        await EndAsync(runtime, plain);

        Assert.Equal(before, await machine.InsideAsync("sh", "-c", Network));
        Assert.Empty(Directory.EnumerateFiles(machine.PathOf("state/leases")));
    }

    private static async Task EndAsync(ContainerRuntimeInterface runtime, string sandbox)
    {
        await runtime.StopAsync(sandbox);
        await runtime.RemoveAsync(sandbox);
    }

    // CHECK of each plugin in the order of ADD, as libcni calls it, from what libcni keeps: containerd never asks. bandwidth of 1.1.1 panics without a limit, portmap fails with ports.
    private static async Task CheckAsync(RuntimeMachine machine, string sandbox)
    {
        var kept = JsonNode.Parse(await machine.InsideAsync("cat", $"/var/lib/cni/results/chain-{sandbox}-eth0"))!;
        var list = JsonNode.Parse(Convert.FromBase64String((string)kept["config"]!))!;
        var inside = kept["result"]!["interfaces"]!.AsArray().Select(static one => (string?)one!["sandbox"]).First(static path => path is { Length: > 0 });
        foreach (var plugin in list["plugins"]!.AsArray().Select(static one => one!.DeepClone().AsObject()))
        {
            var told = new JsonObject();
            foreach (var (capability, _) in plugin["capabilities"]?.AsObject() ?? [])
            {
                told[capability] = kept["capabilityArgs"]?[capability]?.DeepClone();
            }
            plugin.Remove("capabilities");
            (plugin["cniVersion"], plugin["name"], plugin["prevResult"], plugin["runtimeConfig"]) =
                ((string)list["cniVersion"]!, "chain", kept["result"]!.DeepClone(), told);
            var type = (string)plugin["type"]!;
            var answer = await machine.TryInsideAsync(
                plugin.ToJsonString(), "env", "CNI_COMMAND=CHECK", $"CNI_CONTAINERID={sandbox}", $"CNI_NETNS={inside}", "CNI_IFNAME=eth0",
                $"CNI_PATH={machine.PathOf("bin")}", machine.PathOf($"bin/{type}"));
            Assert.True(answer.ExitCode == 0, $"CHECK by {type}: {answer.Output}{answer.Error}");
        }
    }

    private static async Task AnswersAsync(RuntimeMachine machine, string url) =>
        Assert.Contains("200", await machine.InsideAsync("curl", "-s", "-m", "20", "--retry", "9", "--retry-all-errors", "-o", "/dev/null", "-w", "%{http_code}", url + "05-chain.conflist"), StringComparison.Ordinal);
}
