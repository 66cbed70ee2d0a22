using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>A network on paper, for devices that not every kernel has: who would hold what, with everybody listening at port 80.</summary>
internal sealed class Sketch
{
    private readonly ObservedState _state = new();
    private readonly Dictionary<NamespaceId, List<IpvsService>> _hosts = [];
    private ulong _macs = 0x0200_0000_0000;

    public Sketch(params string[] hosts)
    {
        foreach (var host in hosts)
        {
            var id = new NamespaceId(host);
            _hosts.Add(id, []);
            Hold(new LinkEntry(id, "lo", new LinkType.Loopback()) { Up = true, MtuBytes = 65_536 });
            Hold(new RuleEntry(id, IpFamily.V4, 0) { Table = RouteTable.Local });
            Hold(new RuleEntry(id, IpFamily.V4, 32766));
            Hold(new RuleEntry(id, IpFamily.V6, 0) { Table = RouteTable.Local });
            Hold(new RuleEntry(id, IpFamily.V6, 32766));
            Hold(new SysctlEntry(id, "net/ipv4/conf/all/forwarding", "1"));
        }
    }

    public Sketch Cable(string host, string device, string other, string otherDevice)
    {
        Device(host, device, new LinkType.Veth(new NamespaceId(other), otherDevice));
        return Device(other, otherDevice, new LinkType.Veth(new NamespaceId(host), device));
    }

    public Sketch Device(string host, string device, LinkType type, MacAddress? mac = null)
    {
        var id = new NamespaceId(host);
        Hold(new SysctlEntry(id, $"net/ipv4/conf/{device}/forwarding", "1"));
        return Hold(new LinkEntry(id, device, type) { Up = true, MtuBytes = 1500, Mac = type is LinkType.IpTunnel or LinkType.Wireguard ? null : mac ?? MacAddress.FromNumber(++_macs) });
    }

    public MacAddress Mac(string host, string device) => ((LinkEntry)_state.Entries[new LinkEntry(new NamespaceId(host), device, new LinkType.Loopback()).Key].Entry).Mac!.Value;

    public Sketch Address(string host, string device, string prefix)
    {
        var (id, address) = (new NamespaceId(host), IpPrefix.Parse(prefix));
        Hold(new AddressEntry(id, device, address));
        Hold(new RouteEntry(id, IpPrefix.Host(address.Address)) { Table = RouteTable.Local, Type = RouteType.Local, NextHops = [new NextHop(device, null)] });
        return address.IsHost ? this : Hold(new RouteEntry(id, address.Network) { PreferredSource = address.Address, NextHops = [new NextHop(device, null)] });
    }

    public Sketch Route(string host, string to, string device, string? gateway = null) =>
        Hold(new RouteEntry(new NamespaceId(host), IpPrefix.Parse(to)) { NextHops = [new NextHop(device, gateway is null ? null : IpAddress.Parse(gateway))] });

    public Sketch Hold(Entry entry)
    {
        _state.Set(new Observed(entry, Owner.Foreign, null, new KernelFacts()));
        return this;
    }

    public Sketch Service(string host, IpvsService service)
    {
        _hosts[new NamespaceId(host)].Add(service);
        return this;
    }

    public IReadOnlyList<Outcome> Walk(string from, string to, ushort port = 80)
    {
        var everywhere = new BoundSocket(IpAddress.Unspecified(IpFamily.V6), 80, Packet.Tcp);
        var world = new GivenWorld(_hosts.Select(host => new Space(host.Key, _state, new GivenSource { Listening = [everywhere], Services = host.Value })));
        var destination = IpAddress.Parse(to);
        return new Walker(world).Walk(
            new Packet(IpAddress.Unspecified(destination.Family), destination, Packet.Tcp) { SourcePort = 40_000, DestinationPort = port, Flags = TcpFlags.Syn }, new NamespaceId(from)).Outcomes;
    }

    /// <summary>The way there in a line: where it was, and what was said there.</summary>
    public static string Told(IEnumerable<Hop> hops) => string.Join(" | ", hops.Select(static hop => $"{hop.Space}: {hop.What}"));
}
