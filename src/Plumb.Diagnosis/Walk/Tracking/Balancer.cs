using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Stages;
using Plumb.Linux.Addresses;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>
/// IPVS: what comes in for a virtual service, or leaves for one, is sent on to one of its servers (<c>ip_vs_in_hook</c>). It is routed and sent as this host's
/// own, past the hook FORWARD. Its answers find their way back as translated ones do.
/// </summary>
internal static class Balancer
{
    /// <summary>NF_IP_PRI_NAT_SRC - 1 and NF_IP_PRI_NAT_DST + 2; null: it is not at this hook.</summary>
    public static int? PriorityAt(ChainHook hook) => hook switch
    {
        ChainHook.Input => ConnectionTracking.SourceNat - 1,
        ChainHook.Output => ConnectionTracking.DestinationNat + 2,
        _ => null,
    };

    public static IEnumerable<Step> Pass(Traveller traveller, ChainHook hook)
    {
        if (traveller.BalancedIn == traveller.Space.Id || traveller.Connection is { IsReply: true } || Find(traveller) is not { } service)
        {
            return [new Step.On(traveller)];
        }
        var chances = Chances(service);
        return chances.Count == 0
            // ip_vs_leave
            ? [traveller.Drop($"IPVS has no server for {Name(service)}", null, traveller.In, Answers.Error(traveller.Packet, Answers.PortUnreachable(traveller.Packet.Family)))]
            : chances.SelectMany(chance => Send(traveller, hook, service, chance.Server, chance.Chance));
    }

    // ip_vs_service_find: by mark, by address and port, by address alone.
    private static IpvsService? Find(Traveller traveller)
    {
        var packet = traveller.Packet;
        IpvsService? found = null;
        foreach (var service in traveller.Space.VirtualServices)
        {
            if (service.Address.Family != packet.Family)
            {
                continue;
            }
            if (service.Mark != 0 && service.Mark == packet.Mark)
            {
                return service;
            }
            if (service.Mark == 0 && service.Address == packet.Destination && service.Protocol == packet.Protocol && (service.Port == packet.DestinationPort || (service.Port == 0 && found is null)))
            {
                found = service;
            }
        }
        return found;
    }

    /// <summary>How likely a new connection goes to each server. Who counts connections has chosen already, as long as none begins or ends.</summary>
    internal static IReadOnlyList<(IpvsServer Server, double Chance)> Chances(IpvsService service)
    {
        var servers = service.Servers.Where(static server => server.Weight > 0).ToList();
        var least = service.Scheduler switch
        {
            "lc" => Least(servers, static server => (server.ActiveConnections * 256.0) + server.InactiveConnections),
            "wlc" => Least(servers, static server => ((server.ActiveConnections * 256.0) + server.InactiveConnections) / server.Weight),
            "sed" => Least(servers, static server => (server.ActiveConnections + 1.0) / server.Weight),
            "nq" when servers.Exists(static server => server.ActiveConnections == 0) => servers.FindAll(static server => server.ActiveConnections == 0),
            "nq" => Least(servers, static server => (server.ActiveConnections + 1.0) / server.Weight),
            "fo" => Least(servers, static server => -server.Weight),
            _ => servers,
        };
        // What others choose by (a hash of addresses, whose turn it is) nobody tells: one is as likely as another.
        var total = service.Scheduler == "wrr" ? least.Sum(static server => (double)server.Weight) : least.Count;
        return least.ConvertAll(server => (server, (service.Scheduler == "wrr" ? server.Weight : 1) / total));
    }

    private static List<IpvsServer> Least(List<IpvsServer> servers, Func<IpvsServer, double> load)
    {
        var least = servers.Count == 0 ? 0 : servers.Min(load);
        return servers.FindAll(server => load(server) <= least);
    }

    private static IEnumerable<Step> Send(Traveller traveller, ChainHook hook, IpvsService service, IpvsServer server, double chance)
    {
        var before = traveller.Packet;
        var text = $"{Name(service)} {service.Scheduler} -> {EndpointText.Of(server.Address, server.Port)} weight {server.Weight}";
        if (server.Method is not (IpvsMethod.Masquerading or IpvsMethod.Local))
        {
            var reason = $"IPVS sends it on by {(server.Method == IpvsMethod.Tunnel ? "tunnel" : "its hardware address")} ({text}), which is not followed";
            yield return (traveller with { Probability = traveller.Probability * chance }).End(Ending.Undecided, reason, traveller.Note(reason) with { Chance = chance });
            yield break;
        }
        var tuple = Tuples.Of(before);
        var connection = traveller.Connection is { State: not (ConnectionState.Untracked or ConnectionState.Invalid) } tracked ? tracked : new Connection(ConnectionState.New, tuple, Tuples.Inverse(tuple));
        // Without net.ipv4.vs.conntrack nobody is asked what to make of its source.
        var isHidden = traveller.Space.Parameter("net/ipv4/vs/conntrack") is null or "0";
        var packet = before with { Destination = server.Address, DestinationPort = server.Port };
        var balanced = traveller with
        {
            Packet = packet,
            Connection = connection with { Reply = connection.Reply with { Source = server.Address, SourcePort = server.Port }, DestinationDecided = true, SourceDecided = connection.SourceDecided || isHidden },
            Probability = traveller.Probability * chance,
            BalancedIn = traveller.Space.Id,
        };
        balanced = balanced with { Hops = traveller.Hops.Add(new Hop(traveller.Space.Id, traveller.Stage, $"IPVS ({service.Scheduler})", before, packet) { Text = text, Chance = chance, IsTranslation = true }) };
        foreach (var way in RouteLookup.Find(traveller.Space, new RouteQuestion(IpAddress.Unspecified(packet.Family), packet.Destination, 0, 0, null, null)))
        {
            var goes = balanced with { Probability = balanced.Probability * way.Probability };
            if (way.IsLocal)
            {
                yield return new Step.On(goes);
            }
            else if (!way.LeadsOn)
            {
                yield return goes.Drop($"no route to {packet.Destination}, where IPVS sends it", way.Decider, traveller.In, Answers.Error(before, Answers.HostUnreachable(packet.Family)));
            }
            else if (hook == ChainHook.Input && packet.TimeToLive <= 1)
            {
                yield return goes.Drop("its TTL is used up", null, traveller.In, Answers.Error(before, Answers.TimeExceeded(packet.Family)));
            }
            else
            {
                var sent = hook == ChainHook.Input ? packet with { TimeToLive = (byte)(packet.TimeToLive - 1) } : packet;
                var hop = goes.Note(RouteWords.Of(way), way.Decider, way.Hop!.Device) with { Chance = way.Probability };
                yield return new Step.Away((goes with { Packet = sent, In = null, Out = way.Hop.Device, Route = way }).To(Stage.Output, hop));
            }
        }
    }

    private static string Name(IpvsService service) => service.Mark != 0
        ? $"mark 0x{service.Mark:x}"
        : $"{(service.Protocol switch { Packet.Tcp => "TCP", Packet.Udp => "UDP", Packet.Sctp => "SCTP", var other => $"{other}" })} {EndpointText.Of(service.Address, service.Port)}";
}
