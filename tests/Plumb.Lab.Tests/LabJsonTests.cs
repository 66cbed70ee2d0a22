using System.Reflection;
using System.Text.Json;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab.Tests;

/// <summary>The forms are written by hand: a property that is forgotten in one would silently have its default on the other side.</summary>
public sealed class LabJsonTests
{
    private static readonly LabStatus _status = new(
        LabName.Parse("blue"),
        LabPhase.Ready,
        "/run/plumb/blue/kubeconfig",
        new Uri("https://127.0.0.1:6443"),
        4711,
        new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero),
        OverlayKind.Routed,
        [IpPrefix.Parse("10.200.0.0/16"), IpPrefix.Parse("fd00:200::/56")],
        [IpPrefix.Parse("10.97.0.0/16")],
        [
            new MachineStatus("node-1", new NamespaceId("node-1"), [IpAddress.Parse("192.168.7.11"), IpAddress.Parse("fd00::7:11")], "fd/12", true, 17),
            new MachineStatus("wire", new NamespaceId("wire"), [], "fd/13", null),
        ],
        [
            new SandboxStatus("default", "client", "node-1", new NamespaceId("default/client@30b7ddd3"), [IpAddress.Parse("fd00::7")], "fd/14", "Running", 23),
            new SandboxStatus("default", "late", "node-1", new NamespaceId("node-1"), [], "fd/15", "Pending"),
        ])
    {
        NodeRanges = [IpPrefix.Parse("192.168.7.0/24")],
        Services = ServicesKind.Iptables,
        OldServicesLeft = ["node-1: ip nat KUBE-SERVICES: in use"],
        MemoryBytes = 1 << 30,
        HostPorts = [new HostPortStatus("default/website", "TCP", 31100, 31100, null), new HostPortStatus("default/names", "UDP", 31053, null, "taken")],
    };

    [Fact]
    public void Every_option_crosses() => EachCrosses(
        new LabOptions
        {
            Name = LabName.Parse("blue"),
            Nodes = 7,
            Overlay = OverlayKind.Routed,
            Services = ServicesKind.None,
            NodeRanges = [IpPrefix.Parse("192.168.7.0/24"), IpPrefix.Parse("fd00:7::/64")],
            PodRanges = [IpPrefix.Parse("10.200.0.0/16"), IpPrefix.Parse("fd00:200::/56")],
            ServiceRanges = [IpPrefix.Parse("10.97.0.0/16"), IpPrefix.Parse("fd00:97::/112")],
            DnsUpstreams = ["127.0.0.1:5353"],
            CniConfigurations = ["10-mynet.conflist"],
            Manifests = ["a.yaml", "-"],
            From = "net.plumb",
            Images = new Dictionary<string, string> { ["web"] = "/images/web" },
            AgentProcesses = true,
            ApiPort = 6443,
            WaitForPods = true,
            Command = ["kubectl", "get \"pods\""],
            RuntimeRoot = "/run/user/1000/plumb",
            Detached = true,
            AskedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero),
        },
        new LabOptions(),
        static options => LabOptions.FromJson(options.ToJson()));

    [Fact]
    public void Servers_that_are_none_are_not_those_of_the_host() =>
        Assert.Equal([], LabOptions.FromJson(new LabOptions { DnsUpstreams = [] }.ToJson()).DnsUpstreams);

    [Fact]
    public void Every_part_of_a_status_crosses() => EachCrosses(
        _status,
        new LabStatus(LabName.Default, default, "", new Uri("https://127.0.0.1"), 0, default, default, default, default, [], []),
        static status => LabJson.Status(Parsed(LabJson.ToUtf8(json => LabJson.Write(json, status)))));

    [Fact]
    public void Every_part_of_a_step_crosses()
    {
        var step = new LabProgress(LabStep.Pods, TimeSpan.FromTicks(1234567), "two nodes") { Done = 3, Total = 4, Lab = _status };
        EachCrosses(
            step with { Lab = null },
            new LabProgress(default, default),
            static sent => LabJson.Progress(Parsed(LabJson.ToUtf8(json => LabJson.Write(json, sent)))),
            except: nameof(LabProgress.Lab));
        Assert.Equal(_status.Machines, LabJson.Progress(Parsed(LabJson.ToUtf8(json => LabJson.Write(json, step)))).Lab!.Machines);
    }

    private static JsonElement Parsed(byte[] utf8) => JsonElement.Parse(utf8);

    /// <param name="unset">A value to differ from in everything: what does not is not shown to cross.</param>
    private static void EachCrosses<T>(T sent, T unset, Func<T, T> cross, string? except = null)
    {
        var got = cross(sent);
        foreach (var property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.Name != except))
        {
            Assert.False(Equals(property.GetValue(sent), property.GetValue(unset)), $"give {property.Name} a value here");
            Assert.Equal(property.GetValue(sent), property.GetValue(got));
        }
    }
}
