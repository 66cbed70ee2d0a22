using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.Kernel;

/// <summary>States that a kernel would accept, drawn from few names and numbers so that two of them often meet in some and differ in others.</summary>
internal static class RandomState
{
    private static readonly Stamp Stamp = new("plumb:random");

    public static DesiredState Next(Random random)
    {
        var state = new DesiredState();
        state.Set(new LinkEntry(Pod, "lo", new LinkType.Loopback()) { Up = random.Next(2) == 0 });
        foreach (var id in (ReadOnlySpan<NamespaceId>)[Node, Pod])
        {
            var devices = Devices(state, random, id);
            foreach (var device in devices)
            {
                OnDevice(state, random, id, device);
            }
            Rules(state, random, id);
        }
        return state;
    }

    private static List<string> Devices(DesiredState state, Random random, NamespaceId id)
    {
        var devices = new List<string>();
        if (Coin(random))
        {
            state.Set(new LinkEntry(id, "br0", new LinkType.Bridge { SpanningTree = Coin(random), MulticastSnooping = Coin(random) })
            {
                Mac = Mac(random), MtuBytes = 1300 + random.Next(3), Up = true, NoAutomaticAddress = true,
            }, Stamp);
            devices.Add("br0");
            if (Coin(random))
            {
                state.Set(new LinkEntry(id, "vx", new LinkType.Vxlan(1 + random.Next(2)) { Port = 8472, Local = IpAddress.Parse("10.0.0.1"), Device = "br0", Learning = false })
                {
                    Mac = Mac(random), MtuBytes = 1200, Up = true, NoAutomaticAddress = true,
                }, Stamp);
                state.Set(new FdbEntry(id, "vx", Mac(random)) { Remote = IpAddress.V4(192, 168, 1, (byte)random.Next(1, 4)), State = NeighbourState.Permanent });
            }
        }
        if (id == Node && Coin(random))
        {
            Veth(state, random, devices.Count > 0);
            devices.Add("veth0");
        }
        return devices;
    }

    private static void Veth(DesiredState state, Random random, bool hasBridge)
    {
        var mtu = 1280 + random.Next(2);
        var isPort = hasBridge && Coin(random);
        state.Set(new LinkEntry(Pod, "eth0", new LinkType.Veth(Node, "veth0")) { Mac = Mac(random), MtuBytes = mtu, Up = true, NoAutomaticAddress = true }, Stamp);
        state.Set(new LinkEntry(Node, "veth0", new LinkType.Veth(Pod, "eth0"))
        {
            Mac = Mac(random), MtuBytes = mtu, Up = true, NoAutomaticAddress = true, Master = isPort ? "br0" : "",
            Port = isPort ? new BridgePort { Learning = Coin(random), Flood = Coin(random), Hairpin = Coin(random), Isolated = Coin(random) } : null,
        }, Stamp);
        state.Set(new AddressEntry(Pod, "eth0", IpPrefix.Parse("10.5.0.1/32")) { Protocol = RouteProtocol.Plumb });
        if (isPort)
        {
            state.Set(new FdbEntry(Node, "veth0", Mac(random)) { OfMaster = true });
        }
    }

    private static void OnDevice(DesiredState state, Random random, NamespaceId id, string device)
    {
        var net = (byte)(device == "br0" ? 1 : 2);
        state.Set(new AddressEntry(id, device, new IpPrefix(IpAddress.V4(10, net, 0, 1), 24)) { Scope = Coin(random) ? RouteScope.Universe : RouteScope.Link, Protocol = RouteProtocol.Plumb });
        if (Coin(random))
        {
            state.Set(new AddressEntry(id, device, IpPrefix.Parse($"fd00:{net}::1/64")) { NoDuplicateDetection = true, NoPrefixRoute = Coin(random), Protocol = RouteProtocol.Plumb });
        }
        for (var i = random.Next(4); i > 0; i--)
        {
            var gateway = IpAddress.V4(10, net, 0, (byte)random.Next(2, 5));
            state.Set(new NeighbourEntry(id, device, gateway) { Mac = Mac(random) });
            state.Set(Route(random, id, device, gateway, new IpPrefix(IpAddress.V4(10, (byte)(100 + net), (byte)random.Next(3), 0), 24)));
        }
        if (Coin(random))
        {
            state.Set(new RouteEntry(id, IpPrefix.Parse($"fd01:{net}::/64")) { Metric = 1024, NextHops = [new NextHop(device, null)] });
        }
    }

    private static RouteEntry Route(Random random, NamespaceId id, string device, IpAddress gateway, IpPrefix destination)
    {
        var route = new RouteEntry(id, destination) { Table = Coin(random) ? RouteTable.Main : new RouteTable(1000), MtuBytes = Coin(random) ? 1400 : null };
        return random.Next(4) switch
        {
            0 => route with { Type = RouteType.Blackhole },
            1 => route with { NextHops = [new NextHop(device, gateway) { Weight = 3 }, new NextHop(device, gateway.Plus(1))] },
            2 => route with { NextHops = [new NextHop(device, null)], Scope = RouteScope.Link },
            _ => route with { NextHops = [new NextHop(device, gateway) { OnLink = Coin(random) }] },
        };
    }

    private static void Rules(DesiredState state, Random random, NamespaceId id)
    {
        for (var i = random.Next(3); i > 0; i--)
        {
            // A rule that forbids must not meet the kernel's own look-up of a gateway, which has no mark.
            var not = Coin(random);
            state.Set(new RuleEntry(id, Coin(random) ? IpFamily.V4 : IpFamily.V6, 100 + (uint)random.Next(2))
            {
                Mark = new FirewallMark((uint)random.Next(1, 3), 0xff),
                Not = not,
                Action = not || Coin(random) ? RuleAction.ToTable : RuleAction.Unreachable,
                InputDevice = Coin(random) ? "br0" : null,
            });
        }
    }

    private static bool Coin(Random random) => random.Next(2) == 0;

    private static MacAddress Mac(Random random) => MacAddress.FromNumber(0x0a5800000000 + (ulong)random.Next(1, 6));
}
