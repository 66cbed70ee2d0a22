using System.Diagnostics;
using System.Text.Json;
using Plumb.Lab.Wire;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Wire;

public sealed class MachinesTests
{
    [Fact]
    public async Task Every_machine_reaches_every_other_over_the_wire()
    {
        var addresses = new WireAddresses(new LabOptions { Nodes = 2 });
        using var machines = Machines.Build(addresses);
        foreach (var from in (ReadOnlySpan<NetworkNamespace>)[machines.Nodes[0], machines.Nodes[1], machines.Outside])
        {
            foreach (var to in (ReadOnlySpan<string>)["192.168.1.1", "192.168.1.11", "192.168.1.12", "192.168.1.100"])
            {
                Inside(from, "ping", "-c", "1", "-w", "5", to);
            }
        }
        await Task.CompletedTask;
    }

    [Fact]
    public void What_was_planned_is_what_ip_shows()
    {
        using var machines = Machines.Build(new WireAddresses(new LabOptions { Nodes = 2 }));
        var wire = JsonElement.Parse(Inside(machines.Wire, "ip", "-j", "-d", "link"));
        Assert.Equal(
            ["lo", "node-1", "node-2", "outside", "wire0"],
            wire.EnumerateArray().Select(static link => link.GetProperty("ifname").GetString()).Order(StringComparer.Ordinal));
        Assert.All(
            wire.EnumerateArray().Where(static link => link.TryGetProperty("master", out _)),
            static port => Assert.Equal("wire0", port.GetProperty("master").GetString()));
        var route = Assert.Single(JsonElement.Parse(Inside(machines.Nodes[0], "ip", "-j", "route", "show", "default")).EnumerateArray());
        Assert.Equal(("192.168.1.1", "113"), (route.GetProperty("gateway").GetString(), route.GetProperty("protocol").GetString()));
        var link = Assert.Single(JsonElement.Parse(Inside(machines.Nodes[1], "ip", "-j", "link", "show", "eth0")).EnumerateArray());
        Assert.Equal("02:4c:c0:a8:01:0c", link.GetProperty("address").GetString());
        Assert.StartsWith("plumb-lab:", link.GetProperty("ifalias").GetString(), StringComparison.Ordinal);
        foreach (var parameter in (ReadOnlySpan<string>)["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"])
        {
            // Where br_netfilter is not loaded nothing is asked of it.
            Assert.Contains(Inside(machines.Nodes[0], "sh", "-c", $"cat /proc/sys/net/bridge/{parameter} || echo none"), (string[])["0\n", "none\n"]);
        }
    }

    [Fact]
    public void Fifty_nodes_fit_on_the_wire()
    {
        using var machines = Machines.Build(new WireAddresses(new LabOptions { Nodes = 50 }));
        Inside(machines.Nodes[49], "ping", "-c", "1", "-w", "5", "192.168.1.11");
        var known = JsonElement.Parse(Inside(machines.Nodes[49], "ip", "-j", "neigh")).EnumerateArray().ToList();
        Assert.Equal(50, known.Count);
        Assert.All(known, static one => Assert.Equal("PERMANENT", one.GetProperty("state")[0].GetString()));
    }

    [Fact]
    public void Nothing_is_left_when_the_machines_are_gone()
    {
        var machines = Machines.Build(new WireAddresses(new LabOptions { Nodes = 3 }));
        var path = machines.Nodes[0].ProcPath;
        Assert.True(File.Exists(path));
        machines.Dispose();
        Assert.False(File.Exists(path));
    }

    private static string Inside(NetworkNamespace network, params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo("nsenter", [$"--net={network.ProcPath}", "--", .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}: {output}{process.StandardError.ReadToEnd()}");
        return output;
    }
}
