using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.State;

/// <summary>Entries of every kind with every property stated or not: values, not what a kernel would take.</summary>
internal static class RandomEntries
{
    private static readonly Gen<NamespaceId> Spaces = Gen.Elements("node-1", "node-2/pod a").Select(static name => new NamespaceId(name));
    private static readonly Gen<string> Devices = Gen.Elements("eth0", "cni0", "veth0a1b2c3d", "eth0.100");

    private static readonly Gen<IpAddress> Addresses =
        from v6 in ArbMap.Default.GeneratorFor<bool>()
        from high in ArbMap.Default.GeneratorFor<ulong>()
        from low in ArbMap.Default.GeneratorFor<ulong>()
        select v6 ? IpAddress.FromNumber(IpFamily.V6, new UInt128(high, low)) : IpAddress.FromNumber(IpFamily.V4, (uint)low);

    private static readonly Gen<IpPrefix> Prefixes =
        from address in Addresses
        from length in Gen.Choose(0, 128)
        select new IpPrefix(address, Math.Min(length, address.BitLength));

    private static readonly Gen<MacAddress> Macs = ArbMap.Default.GeneratorFor<ulong>().Select(MacAddress.FromNumber);
    private static readonly Gen<RouteProtocol> Protocols = Gen.Choose(0, 255).Select(static n => new RouteProtocol((byte)n));
    private static readonly Gen<RouteTable> Tables = Gen.Choose(0, int.MaxValue).Select(static n => new RouteTable((uint)n));
    private static readonly Gen<bool?> Switches = Gen.Elements<bool?>(null, true, false);

    public static Gen<Entry> All { get; } = Gen.OneOf(Links(), Others());

    private static Gen<Entry> Links()
    {
        var ports =
            from learning in Switches
            from hairpin in Switches
            from isolated in Switches
            select new BridgePort { Learning = learning, Hairpin = hairpin, Isolated = isolated, Flood = learning };
        var types = Gen.OneOf(
            Gen.Elements<LinkType>(new LinkType.Loopback(), new LinkType.Ifb()),
            Devices.Select(static name => (LinkType)new LinkType.Other(name)),
            from space in OrNull(Spaces) from name in Devices.OrNull() select (LinkType)new LinkType.Veth(space, name),
            from a in Switches from b in Switches select (LinkType)new LinkType.Bridge { SpanningTree = a, VlanFiltering = b },
            from vni in Gen.Choose(0, 0xffffff)
            from local in OrNull(Addresses)
            from device in Devices.OrNull()
            from learning in Switches
            select (LinkType)new LinkType.Vxlan(vni) { Port = 8472, Local = local, Device = device, Learning = learning });
        return from space in Spaces
               from name in Devices
               from type in types
               from mac in OrNull(Macs)
               from mtu in OrNull(Gen.Choose(68, 65535))
               from up in Switches
               from master in Gen.Elements(null, "", "cni0")
               from port in ports.OrNull()
               select (Entry)new LinkEntry(space, name, type) { Mac = mac, MtuBytes = mtu, Up = up, Master = master, Port = port, NoAutomaticAddress = up };
    }

    private static Gen<Entry> Others()
    {
        var hops =
            from device in Devices.OrNull()
            from gateway in OrNull(Addresses)
            from weight in Gen.Choose(1, 256)
            from onLink in ArbMap.Default.GeneratorFor<bool>()
            select new NextHop(device, gateway) { Weight = weight, OnLink = onLink };
        return Gen.OneOf(
            from space in Spaces
            from family in Gen.Elements(IpFamily.V4, IpFamily.V6)
            from policy in Gen.Elements(null, "ACCEPT")
            from rules in Gen.Elements("-j RETURN", "-m comment --comment \"a \\\"word\\\"\" -j KUBE-SVC-X", "").ListOf()
            select (Entry)new IptablesChainEntry(space, new IptablesTable(family, "nat"), "KUBE-SERVICES") { Policy = policy, Rules = [.. rules] },
            from space in Spaces
            from copy in Gen.Choose(0, 2)
            select (Entry)new IptablesRuleEntry(space, new IptablesTable(IpFamily.V4, "filter"), "INPUT", "-j KUBE-FIREWALL") { Copy = copy },
            from space in Spaces
            from device in Devices
            from prefix in Prefixes
            from scope in OrNull(Gen.Elements(RouteScope.Universe, RouteScope.Link, RouteScope.Host))
            from noDad in Switches
            from protocol in OrNull(Protocols)
            select (Entry)new AddressEntry(space, device, prefix) { Scope = scope, NoDuplicateDetection = noDad, Protocol = protocol },
            from space in Spaces
            from prefix in Prefixes
            from table in Tables
            from type in Gen.Elements(Enum.GetValues<RouteType>())
            from protocol in Protocols
            from source in OrNull(Addresses)
            from mtu in OrNull(Gen.Choose(68, 65535))
            from ways in hops.ListOf()
            select (Entry)new RouteEntry(space, prefix.Network)
            {
                Table = table,
                Type = type,
                Protocol = protocol,
                PreferredSource = source,
                MtuBytes = mtu,
                Metric = (uint)table.GetHashCode(),
                NextHops = [.. ways],
            },
            from space in Spaces
            from source in OrNull(Prefixes)
            from mark in OrNull(ArbMap.Default.GeneratorFor<(uint, uint)>())
            from device in Devices.OrNull()
            from action in Gen.Elements(Enum.GetValues<RuleAction>())
            from table in Tables
            select (Entry)new RuleEntry(space, IpFamily.V4, 100)
            {
                Source = source,
                Mark = mark is { } m ? new FirewallMark(m.Item1, m.Item2) : null,
                InputDevice = device,
                Not = device is null,
                Action = action,
                Table = table,
            },
            from space in Spaces
            from device in Devices
            from address in Addresses
            from mac in OrNull(Macs)
            from state in Gen.Elements(Enum.GetValues<NeighbourState>())
            from proxy in ArbMap.Default.GeneratorFor<bool>()
            select (Entry)new NeighbourEntry(space, device, address) { Mac = mac, State = state, Proxy = proxy },
            from space in Spaces
            from device in Devices
            from mac in Macs
            from remote in OrNull(Addresses)
            from ofMaster in ArbMap.Default.GeneratorFor<bool>()
            select (Entry)new FdbEntry(space, device, mac) { Remote = remote, OfMaster = ofMaster, Vlan = ofMaster ? (ushort)7 : (ushort)0 },
            from space in Spaces
            from value in Gen.Elements("0", "1", "1024\t65535", "")
            select (Entry)new SysctlEntry(space, "net/ipv4/ip_forward", value));
    }

    private static Gen<T?> OrNull<T>(Gen<T> some)
        where T : struct =>
        Gen.OneOf(some.Select(static value => (T?)value), Gen.Constant((T?)null));
}
