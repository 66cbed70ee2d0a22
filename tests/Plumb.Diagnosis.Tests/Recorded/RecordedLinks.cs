using System.Text.Json.Nodes;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Recorded;

/// <summary>What <c>ip -j</c> and <c>bridge -j</c> printed in a namespace, as entries.</summary>
internal static class RecordedLinks
{
    /// <param name="peer">Who is at the other end of a veth, by its name and the other end's ifindex.</param>
    public static IEnumerable<Observed> Read(Recording recording, string folder, NamespaceId id, Func<string, int, (NamespaceId Space, string Name)?> peer)
    {
        var ports = recording.Items(folder, "bridge-link.json").ToDictionary(static port => (string)port["ifname"]!);
        foreach (var link in recording.Items(folder, "ip-link.json"))
        {
            var name = (string)link["ifname"]!;
            var flags = link["flags"]!.AsArray().Select(static flag => (string)flag!).ToHashSet();
            var kind = (string?)link["linkinfo"]?["info_kind"] ?? ((string?)link["link_type"] == "loopback" ? "loopback" : "device");
            var far = kind is "veth" or "macvlan" && link["link_index"] is { } index ? peer(name, (int)index) : null;
            LinkType type = kind switch
            {
                "loopback" => new LinkType.Loopback(),
                "veth" => new LinkType.Veth(far?.Space, far?.Name),
                "bridge" => new LinkType.Bridge(),
                "macvlan" => new LinkType.Macvlan(Enum.Parse<MacvlanMode>((string)link["linkinfo"]!["info_data"]!["mode"]!, ignoreCase: true), far?.Space, far?.Name),
                _ => new LinkType.Other(kind),
            };
            yield return Held(
                new LinkEntry(id, name, type)
                {
                    Mac = MacAddress.Parse((string)link["address"]!),
                    MtuBytes = (int)link["mtu"]!,
                    Up = flags.Contains("UP"),
                    Master = (string?)link["master"] ?? "",
                    Port = ports.TryGetValue(name, out var port) ? Port(port) : null,
                },
                new KernelFacts((int)link["ifindex"]!) { Carrier = flags.Contains("LOWER_UP"), Promiscuous = (int?)link["promiscuity"] > 0 ? true : null });
        }
        foreach (var link in recording.Items(folder, "ip-addr.json"))
        {
            foreach (var address in link["addr_info"]!.AsArray())
            {
                var prefix = new IpPrefix(IpAddress.Parse((string)address!["local"]!), (int)address["prefixlen"]!);
                yield return Held(new AddressEntry(id, (string)link["ifname"]!, prefix) { Scope = Scope((string?)address["scope"]) });
            }
        }
        foreach (var route in recording.Items(folder, "ip-route.json"))
        {
            if (Route(route, id) is { } entry)
            {
                yield return Held(entry);
            }
        }
        foreach (var rule in recording.Items(folder, "ip-rule.json"))
        {
            yield return Held(new RuleEntry(id, IpFamily.V4, (uint)rule["priority"]!) { Table = Table((string?)rule["table"]) });
        }
        foreach (var neighbour in recording.Items(folder, "ip-neigh.json"))
        {
            var state = NeighbourState.None;
            foreach (var word in neighbour["state"]!.AsArray())
            {
                state |= Enum.Parse<NeighbourState>((string)word! == "NOARP" ? "NoArp" : (string)word!, ignoreCase: true);
            }
            yield return Held(new NeighbourEntry(id, (string)neighbour["dev"]!, IpAddress.Parse((string)neighbour["dst"]!))
            {
                Mac = (string?)neighbour["lladdr"] is { } mac ? MacAddress.Parse(mac) : null, State = state,
            });
        }
        foreach (var entry in recording.Items(folder, "bridge-fdb.json"))
        {
            var words = entry["flags"]?.AsArray().Select(static flag => (string)flag!).ToHashSet() ?? [];
            yield return Held(new FdbEntry(id, (string)entry["ifname"]!, MacAddress.Parse((string)entry["mac"]!))
            {
                OfMaster = entry["master"] is not null || words.Contains("master"),
                State = (string?)entry["state"] switch { "permanent" => NeighbourState.Permanent, "static" => NeighbourState.NoArp, _ => NeighbourState.Reachable },
            });
        }
    }

    public static Observed Held(Entry entry, KernelFacts? facts = null) => new(entry, Owner.Foreign, null, facts ?? new KernelFacts());

    private static BridgePort Port(JsonNode port) => new()
    {
        Learning = (bool)port["learning"]!,
        Flood = (bool)port["flood"]!,
        BroadcastFlood = (bool)port["bcast_flood"]!,
        MulticastFlood = (bool)port["mcast_flood"]!,
        Hairpin = (bool)port["hairpin"]!,
        Isolated = (bool)port["isolated"]!,
    };

    private static RouteEntry? Route(JsonNode route, NamespaceId id)
    {
        var to = (string)route["dst"]!;
        if (to.Contains(':') || (string?)route["gateway"] is { } gate && gate.Contains(':'))
        {
            return null; // an IPv4 cluster
        }
        var prefix = to == "default" ? IpPrefix.Parse("0.0.0.0/0") : to.Contains('/') ? IpPrefix.Parse(to) : IpPrefix.Host(IpAddress.Parse(to));
        return (string?)route["dev"] is { } device && device.Length > 0
            ? new RouteEntry(id, prefix)
            {
                Type = Enum.Parse<RouteType>((string?)route["type"] ?? "unicast", ignoreCase: true),
                Table = Table((string?)route["table"]),
                Scope = Scope((string?)route["scope"]) ?? RouteScope.Universe,
                Metric = (uint?)route["metric"] ?? 0,
                Protocol = (string?)route["protocol"] == "kernel" ? RouteProtocol.Kernel : RouteProtocol.Boot,
                PreferredSource = (string?)route["prefsrc"] is { } source ? IpAddress.Parse(source) : null,
                NextHops = [new NextHop(device, (string?)route["gateway"] is { } gateway ? IpAddress.Parse(gateway) : null)],
            }
            : null;
    }

    private static RouteTable Table(string? name) => name switch
    {
        null or "main" => RouteTable.Main,
        "local" => RouteTable.Local,
        "default" => RouteTable.Default,
        _ => new RouteTable(uint.Parse(name)),
    };

    private static RouteScope? Scope(string? name) => name switch
    {
        null => null,
        "global" => RouteScope.Universe,
        _ => Enum.Parse<RouteScope>(name, ignoreCase: true),
    };
}
