using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>
/// Small networks as a hurried administrator would make them: cables, a bridge, a tunnel, routes; now and then a wrong mask, a missing route, a switch
/// that is off. Drawn from few names and numbers, so that things meet.
/// </summary>
internal static class RandomNetwork
{
    public static readonly NamespaceId[] Names = [new("a"), new("b"), new("c"), new("d")];

    public static (DesiredState State, IReadOnlyList<NamespaceId> Spaces) Next(Random random)
    {
        var spaces = Names[..random.Next(2, 5)];
        var state = new DesiredState();
        foreach (var id in spaces)
        {
            state.Set(new LinkEntry(id, "lo", new LinkType.Loopback()) { Up = true });
            Host(state, random, id);
        }
        var hasBridge = spaces.Length > 2 && random.Next(2) == 0;
        if (hasBridge)
        {
            Hub(state, random, spaces);
        }
        else
        {
            Chain(state, random, spaces);
        }
        if (random.Next(3) == 0)
        {
            Tunnel(state, random, spaces[0], spaces[^1]);
        }
        foreach (var id in spaces)
        {
            Routes(state, random, id, spaces.Length, hasBridge);
        }
        return (state, spaces);
    }

    /// <summary>The address of a host on a link.</summary>
    public static IpAddress Address(int link, int host) => IpAddress.V4(10, 0, (byte)link, (byte)(host + 1));

    private static void Host(DesiredState state, Random random, NamespaceId id)
    {
        state.Set(new SysctlEntry(id, "net/ipv4/ip_forward", Chance(random, 85) ? "1" : "0"));
        // What is limited or remembered would make one probe depend on another.
        state.Set(new SysctlEntry(id, "net/ipv4/icmp_ratelimit", "0"));
        state.Set(new SysctlEntry(id, "net/ipv4/conf/all/send_redirects", "0"));
        state.Set(new SysctlEntry(id, "net/ipv4/conf/all/accept_redirects", "0"));
        state.Set(new SysctlEntry(id, "net/ipv4/conf/all/rp_filter", Chance(random, 10) ? "1" : "0"));
        state.Set(new SysctlEntry(id, "net/ipv4/conf/all/arp_ignore", Chance(random, 10) ? "1" : "0"));
    }

    private static void Device(DesiredState state, Random random, NamespaceId id, string device)
    {
        state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/send_redirects", "0"));
        state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/rp_filter", Pick(random, "0", "0", "1", "2")));
        state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/proxy_arp", Chance(random, 8) ? "1" : "0"));
        state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/accept_local", Chance(random, 8) ? "1" : "0"));
        state.Set(new SysctlEntry(id, $"net/ipv4/neigh/{device}/proxy_delay", "0"));
        // Nobody answers: known after a moment, not after three seconds.
        state.Set(new SysctlEntry(id, $"net/ipv4/neigh/{device}/mcast_solicit", "2"));
        state.Set(new SysctlEntry(id, $"net/ipv4/neigh/{device}/retrans_time_ms", "40"));
    }

    private static void Chain(DesiredState state, Random random, NamespaceId[] spaces)
    {
        for (var i = 0; i + 1 < spaces.Length; i++)
        {
            var (left, right) = ($"r{i}", $"l{i + 1}");
            Cable(state, random, spaces[i], left, spaces[i + 1], right);
            Give(state, random, spaces[i], left, i, i);
            Give(state, random, spaces[i + 1], right, i, i + 1);
        }
    }

    // The first namespace has a bridge with an address; the others hang on it.
    private static void Hub(DesiredState state, Random random, NamespaceId[] spaces)
    {
        state.Set(new LinkEntry(spaces[0], "br", new LinkType.Bridge { SpanningTree = false, MulticastSnooping = false }) { Mac = Mac(random), Up = true, NoAutomaticAddress = true });
        Device(state, random, spaces[0], "br");
        Give(state, random, spaces[0], "br", 0, 0);
        for (var i = 1; i < spaces.Length; i++)
        {
            var port = $"p{i}";
            Cable(state, random, spaces[0], port, spaces[i], "e0", master: "br");
            Give(state, random, spaces[i], "e0", 0, i);
        }
    }

    private static void Cable(DesiredState state, Random random, NamespaceId here, string device, NamespaceId there, string other, string? master = null)
    {
        int Mtu() => Chance(random, 12) ? 1300 : 1500;
        state.Set(new LinkEntry(here, device, new LinkType.Veth(there, other))
        {
            Mac = Mac(random), MtuBytes = Mtu(), Up = !Chance(random, 3), NoAutomaticAddress = true, Master = master,
            Port = master is null ? null : new BridgePort { Isolated = Chance(random, 15), Hairpin = Chance(random, 30), Learning = !Chance(random, 10), Flood = !Chance(random, 10) },
        });
        state.Set(new LinkEntry(there, other, new LinkType.Veth(here, device)) { Mac = Mac(random), MtuBytes = Mtu(), Up = !Chance(random, 3), NoAutomaticAddress = true });
        Device(state, random, here, device);
        Device(state, random, there, other);
    }

    private static void Give(DesiredState state, Random random, NamespaceId id, string device, int link, int host)
    {
        if (Chance(random, 4))
        {
            return;
        }
        var length = Pick(random, 24, 24, 24, 24, 24, 24, 16, 25, 30, 32);
        state.Set(new AddressEntry(id, device, new IpPrefix(Address(link, host), length)));
    }

    private static void Tunnel(DesiredState state, Random random, NamespaceId one, NamespaceId other)
    {
        var addresses = state.Entries.Values.Select(static desired => desired.Entry).OfType<AddressEntry>().ToList();
        var (here, there) = (addresses.Find(address => address.Namespace == one), addresses.FindLast(address => address.Namespace == other));
        if (here is null || there is null)
        {
            return;
        }
        var vni = Chance(random, 10) ? 8 : 7;
        foreach (var (id, local, remote, number, host) in ((NamespaceId, AddressEntry, AddressEntry, int, int)[])[(one, here, there, 7, 0), (other, there, here, vni, 1)])
        {
            state.Set(new LinkEntry(id, "vx", new LinkType.Vxlan(number) { Port = 8472, Local = local.Address.Address, Learning = false })
            {
                Mac = Mac(random), MtuBytes = Chance(random, 80) ? 1450 : 1500, Up = true, NoAutomaticAddress = true,
            });
            state.Set(new FdbEntry(id, "vx", default) { Remote = remote.Address.Address, State = NeighbourState.Permanent });
            Device(state, random, id, "vx");
            state.Set(new AddressEntry(id, "vx", new IpPrefix(Address(9, host), 24)));
        }
    }

    private static void Routes(DesiredState state, Random random, NamespaceId id, int spaces, bool hasBridge)
    {
        var links = hasBridge ? 1 : spaces - 1;
        var gateway = Address(random.Next(links), random.Next(spaces));
        if (Chance(random, 75))
        {
            state.Set(new RouteEntry(id, IpPrefix.Everything(IpFamily.V4)) { NextHops = [new NextHop(null, gateway)] });
        }
        for (var i = 0; i < links; i++)
        {
            if (Chance(random, 45))
            {
                state.Set(new RouteEntry(id, new IpPrefix(Address(i, 0), 24).Network) { Metric = 5, NextHops = [new NextHop(null, Address(random.Next(links), random.Next(spaces)))] });
            }
        }
        if (Chance(random, 12))
        {
            var prefix = IpPrefix.Host(Address(random.Next(links), random.Next(spaces)));
            state.Set(new RouteEntry(id, prefix) { Type = Pick(random, RouteType.Blackhole, RouteType.Unreachable, RouteType.Prohibit), Metric = 1 });
        }
        if (Chance(random, 12))
        {
            state.Set(new RouteEntry(id, IpPrefix.Everything(IpFamily.V4)) { Table = new RouteTable(100), NextHops = [new NextHop(null, Address(random.Next(links), random.Next(spaces)))] });
            state.Set(new RuleEntry(id, IpFamily.V4, 100)
            {
                Source = Chance(random, 50) ? IpPrefix.Host(Address(random.Next(links), random.Next(spaces))) : null,
                Destination = Chance(random, 50) ? new IpPrefix(Address(random.Next(links), 0), 24).Network : null,
                Table = new RouteTable(100),
            });
        }
    }

    private static MacAddress Mac(Random random) => MacAddress.FromNumber(0x0200_0000_0000 | (ulong)random.NextInt64(1L << 32));

    private static bool Chance(Random random, int percent) => random.Next(100) < percent;

    private static T Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)];
}
