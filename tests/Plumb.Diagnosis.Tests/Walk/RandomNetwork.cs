using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>
/// Small networks as a hurried administrator would make them: cables, a bridge, a tunnel, routes; now and then a wrong mask, a missing route, a switch
/// that is off. Drawn from few names and numbers, so that things meet.
/// </summary>
internal sealed class RandomNetwork
{
    public static readonly NamespaceId[] Names = [new("a"), new("b"), new("c"), new("d")];

    private readonly DesiredState _state = new();
    private readonly Random _random;
    private readonly IpFamily _family;

    private RandomNetwork(Random random, IpFamily family) => (_random, _family) = (random, family);

    private bool IsV4 => _family == IpFamily.V4;

    public static (DesiredState State, IReadOnlyList<NamespaceId> Spaces) Next(Random random, IpFamily family)
    {
        var network = new RandomNetwork(random, family);
        var spaces = network.Make();
        return (network._state, spaces);
    }

    /// <summary>What devices have from the beginning on: an address of IPv6 is there at once, and nobody is told of better ways.</summary>
    public static DesiredState Defaults(IEnumerable<NamespaceId> spaces)
    {
        var state = new DesiredState();
        foreach (var id in spaces)
        {
            foreach (var name in (string[])["accept_dad", "accept_ra", "accept_redirects", "router_solicitations"])
            {
                state.Set(new SysctlEntry(id, $"net/ipv6/conf/default/{name}", "0"));
            }
        }
        return state;
    }

    private NamespaceId[] Make()
    {
        var spaces = Names[.._random.Next(2, 5)];
        foreach (var id in spaces)
        {
            _state.Set(new LinkEntry(id, "lo", new LinkType.Loopback()) { Up = true });
            Host(id);
        }
        var hasBridge = spaces.Length > 2 && _random.Next(2) == 0;
        if (hasBridge)
        {
            Hub(spaces);
        }
        else
        {
            Chain(spaces);
        }
        if (_random.Next(3) == 0)
        {
            Tunnel(spaces[0], spaces[^1]);
        }
        foreach (var id in spaces)
        {
            Routes(id, spaces.Length, hasBridge);
        }
        return spaces;
    }

    /// <summary>The address of a host on a link.</summary>
    public static IpAddress Address(int link, int host) => IpAddress.V4(10, 0, (byte)link, (byte)(host + 1));

    /// <inheritdoc cref="Address(int, int)"/>
    public static IpAddress Address(IpFamily family, int link, int host) =>
        family == IpFamily.V4 ? Address(link, host) : IpAddress.FromNumber(IpFamily.V6, ((UInt128)(0xfd00_0000_0000_0000UL | (uint)link) << 64) | (uint)(host + 1));

    private IpAddress At(int link, int host) => Address(_family, link, host);

    private IpPrefix Network(int link) => new IpPrefix(At(link, 0), IsV4 ? 24 : 64).Network;

    // Of IPv6 a device has an address of the link by itself, and where it has none it cannot ask for anybody who is no neighbour of its own addresses.
    private bool HasNoOwn() => IsV4 || Chance(10);

    private void Host(NamespaceId id)
    {
        if (!IsV4)
        {
            _state.Set(new SysctlEntry(id, "net/ipv6/conf/all/forwarding", Chance(85) ? "1" : "0"));
            _state.Set(new SysctlEntry(id, "net/ipv6/icmp/ratelimit", "0"));
            // Questions for neighbours would meet the hooks of every host that bridges them.
            _state.Set(new SysctlEntry(id, "net/bridge/bridge-nf-call-ip6tables", "0"));
            return;
        }
        _state.Set(new SysctlEntry(id, "net/ipv4/ip_forward", Chance(85) ? "1" : "0"));
        // What is limited or remembered would make one probe depend on another.
        _state.Set(new SysctlEntry(id, "net/ipv4/icmp_ratelimit", "0"));
        _state.Set(new SysctlEntry(id, "net/ipv4/conf/all/send_redirects", "0"));
        _state.Set(new SysctlEntry(id, "net/ipv4/conf/all/accept_redirects", "0"));
        _state.Set(new SysctlEntry(id, "net/ipv4/conf/all/rp_filter", Chance(10) ? "1" : "0"));
        _state.Set(new SysctlEntry(id, "net/ipv4/conf/all/arp_ignore", Chance(10) ? "1" : "0"));
    }

    private void Device(NamespaceId id, string device)
    {
        if (!IsV4)
        {
            _state.Set(new SysctlEntry(id, $"net/ipv6/neigh/{device}/mcast_solicit", "2"));
            _state.Set(new SysctlEntry(id, $"net/ipv6/neigh/{device}/retrans_time_ms", "40"));
            return;
        }
        _state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/send_redirects", "0"));
        _state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/rp_filter", Pick("0", "0", "1", "2")));
        _state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/proxy_arp", Chance(8) ? "1" : "0"));
        _state.Set(new SysctlEntry(id, $"net/ipv4/conf/{device}/accept_local", Chance(8) ? "1" : "0"));
        _state.Set(new SysctlEntry(id, $"net/ipv4/neigh/{device}/proxy_delay", "0"));
        // Nobody answers: known after a moment, not after three seconds.
        _state.Set(new SysctlEntry(id, $"net/ipv4/neigh/{device}/mcast_solicit", "2"));
        _state.Set(new SysctlEntry(id, $"net/ipv4/neigh/{device}/retrans_time_ms", "40"));
    }

    private void Chain(NamespaceId[] spaces)
    {
        for (var i = 0; i + 1 < spaces.Length; i++)
        {
            var (left, right) = ($"r{i}", $"l{i + 1}");
            Cable(spaces[i], left, spaces[i + 1], right);
            Give(spaces[i], left, i, i);
            Give(spaces[i + 1], right, i, i + 1);
        }
    }

    // The first namespace has a bridge with an address; the others hang on it.
    private void Hub(NamespaceId[] spaces)
    {
        _state.Set(new LinkEntry(spaces[0], "br", new LinkType.Bridge { SpanningTree = false, MulticastSnooping = false }) { Mac = Mac(), Up = true, NoAutomaticAddress = HasNoOwn() });
        Device(spaces[0], "br");
        Give(spaces[0], "br", 0, 0);
        for (var i = 1; i < spaces.Length; i++)
        {
            var port = $"p{i}";
            Cable(spaces[0], port, spaces[i], "e0", master: "br");
            Give(spaces[i], "e0", 0, i);
        }
    }

    private void Cable(NamespaceId here, string device, NamespaceId there, string other, string? master = null)
    {
        int Mtu() => Chance(12) ? 1300 : 1500;
        _state.Set(new LinkEntry(here, device, new LinkType.Veth(there, other))
        {
            Mac = Mac(), MtuBytes = Mtu(), Up = !Chance(3), NoAutomaticAddress = HasNoOwn(), Master = master,
            Port = master is null ? null : new BridgePort { Isolated = Chance(15), Hairpin = Chance(30), Learning = !Chance(10), Flood = !Chance(10) },
        });
        _state.Set(new LinkEntry(there, other, new LinkType.Veth(here, device)) { Mac = Mac(), MtuBytes = Mtu(), Up = !Chance(3), NoAutomaticAddress = HasNoOwn() });
        Device(here, device);
        Device(there, other);
    }

    private void Give(NamespaceId id, string device, int link, int host)
    {
        if (Chance(4))
        {
            return;
        }
        var length = IsV4 ? Pick(24, 24, 24, 24, 24, 24, 16, 25, 30, 32) : Pick(64, 64, 64, 64, 64, 64, 48, 65, 126, 128);
        _state.Set(new AddressEntry(id, device, new IpPrefix(At(link, host), length)) { NoDuplicateDetection = IsV4 ? null : true });
    }

    private void Tunnel(NamespaceId one, NamespaceId other)
    {
        var addresses = _state.Entries.Values.Select(static desired => desired.Entry).OfType<AddressEntry>().ToList();
        var (here, there) = (addresses.Find(address => address.Namespace == one), addresses.FindLast(address => address.Namespace == other));
        if (here is null || there is null)
        {
            return;
        }
        var vni = Chance(10) ? 8 : 7;
        foreach (var (id, local, remote, number, host) in ((NamespaceId, AddressEntry, AddressEntry, int, int)[])[(one, here, there, 7, 0), (other, there, here, vni, 1)])
        {
            _state.Set(new LinkEntry(id, "vx", new LinkType.Vxlan(number) { Port = 8472, Local = local.Address.Address, Learning = false })
            {
                Mac = Mac(), MtuBytes = Chance(80) ? (IsV4 ? 1450 : 1430) : 1500, Up = true, NoAutomaticAddress = HasNoOwn(),
            });
            _state.Set(new FdbEntry(id, "vx", default) { Remote = remote.Address.Address, State = NeighbourState.Permanent });
            Device(id, "vx");
            _state.Set(new AddressEntry(id, "vx", new IpPrefix(At(9, host), IsV4 ? 24 : 64)) { NoDuplicateDetection = IsV4 ? null : true });
        }
    }

    private void Routes(NamespaceId id, int spaces, bool hasBridge)
    {
        var links = hasBridge ? 1 : spaces - 1;
        var gateway = At(_random.Next(links), _random.Next(spaces));
        if (Chance(75))
        {
            _state.Set(new RouteEntry(id, IpPrefix.Everything(_family)) { NextHops = [new NextHop(null, gateway)] });
        }
        for (var i = 0; i < links; i++)
        {
            if (Chance(45))
            {
                _state.Set(new RouteEntry(id, Network(i)) { Metric = 5, NextHops = [new NextHop(null, At(_random.Next(links), _random.Next(spaces)))] });
            }
        }
        if (Chance(12))
        {
            var prefix = IpPrefix.Host(At(_random.Next(links), _random.Next(spaces)));
            _state.Set(new RouteEntry(id, prefix) { Type = Pick(RouteType.Blackhole, RouteType.Unreachable, RouteType.Prohibit), Metric = 1 });
        }
        if (Chance(12))
        {
            _state.Set(new RouteEntry(id, IpPrefix.Everything(_family)) { Table = new RouteTable(100), NextHops = [new NextHop(null, At(_random.Next(links), _random.Next(spaces)))] });
            _state.Set(new RuleEntry(id, _family, 100)
            {
                Source = Chance(50) ? IpPrefix.Host(At(_random.Next(links), _random.Next(spaces))) : null,
                Destination = Chance(50) ? Network(_random.Next(links)) : null,
                Table = new RouteTable(100),
            });
        }
    }

    private MacAddress Mac() => MacAddress.FromNumber(0x0200_0000_0000 | (ulong)_random.NextInt64(1L << 32));

    private bool Chance(int percent) => _random.Next(100) < percent;

    private T Pick<T>(params T[] values) => values[_random.Next(values.Length)];
}
