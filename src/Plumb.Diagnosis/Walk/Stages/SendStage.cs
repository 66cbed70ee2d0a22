using Plumb.Diagnosis.Walk.Routing;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>A socket sends, or the kernel answers: <c>ip_route_output_key</c>. The route is asked for twice where the first answer gives the source address (<c>ip_route_connect</c>).</summary>
internal sealed class SendStage : IStage
{
    public Stage Stage => Stage.Send;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        var packet = traveller.Packet;
        foreach (var way in Lookup(traveller))
        {
            if (!packet.Source.IsUnspecified)
            {
                yield return Leave(traveller, way, packet.Destination.ToString());
                continue;
            }
            if (!way.LeadsOn && !way.IsLocal)
            {
                // ip6_dst_lookup_tail: asked once more, from the address that would be taken.
                if (!traveller.IsV4 && SourceAddress.TowardsV6(traveller.Space, null, packet.Destination) is { } assumed)
                {
                    foreach (var other in Lookup(traveller with { Packet = packet with { Source = assumed } }))
                    {
                        yield return Leave(traveller with { Packet = packet with { Source = assumed } }, other, packet.Destination.ToString());
                    }
                    continue;
                }
                yield return Leave(traveller, way, packet.Destination.ToString());
                continue;
            }
            if (SourceAddress.For(traveller.Space, way, packet.Destination) is not { } source)
            {
                yield return traveller.End(Ending.Error, $"{traveller.Space.Id} has no address to send from", traveller.Note("no source address"));
                continue;
            }
            var sourced = traveller with { Packet = packet with { Source = source }, Probability = traveller.Probability * way.Probability };
            // A socket that connects asks again from that address; the kernel's own messages and tunnels' packets do not, nor does IPv6.
            if (!IsOfSocket(traveller) || traveller.IsAnswer || !traveller.IsV4)
            {
                yield return Leave(sourced, way with { Probability = 1 }, packet.Destination.ToString());
                continue;
            }
            foreach (var second in Lookup(sourced))
            {
                // One of several ways was taken with the first answer; the kernel's hash takes the same again.
                if (second.Decider == way.Decider && second.Hop != way.Hop)
                {
                    continue;
                }
                yield return Leave(sourced, second.Decider == way.Decider ? second with { Probability = 1 } : second, packet.Destination.ToString());
            }
        }
    }

    private static IReadOnlyList<RouteAnswer> Lookup(Traveller traveller) => RouteLookup.Find(
        traveller.Space,
        new RouteQuestion(traveller.Packet.Source, traveller.Packet.Destination, traveller.Packet.Mark, traveller.Packet.TrafficClass, null, traveller.Out));

    private static Step Leave(Traveller traveller, RouteAnswer way, string to)
    {
        if (way.Type == RouteType.Broadcast && IsOfSocket(traveller))
        {
            var why = $"{to} is a broadcast address here";
            return traveller.End(Ending.Error, $"{why} ({(traveller.Packet.Protocol == Packets.Packet.Tcp ? "ENETUNREACH" : "EACCES")})", traveller.Note(why, way.Decider));
        }
        if (way.IsLocal || way.LeadsOn)
        {
            var staysHere = way.IsLocal && way.Type != RouteType.Broadcast;
            var device = staysHere ? "lo" : way.Hop!.Device ?? "";
            var hop = traveller.Note(staysHere ? "stays on this host" : RouteWords.Of(way), way.Decider, device) with { Chance = way.Probability };
            return new Step.On((traveller with { Route = way, Out = device, Probability = traveller.Probability * way.Probability }).To(Stage.Output, hop));
        }
        var reason = way.Decider is null ? $"no route to {to}" : $"{way.Type.ToString().ToLowerInvariant()}: {way.Decider.Print()}";
        return traveller.End(Ending.Error, $"{reason} ({ErrorOf(way)})", traveller.Note(reason, way.Decider));
    }

    // A socket needs SO_BROADCAST; what the kernel says itself, and what tunnels carry, does not.
    private static bool IsOfSocket(Traveller traveller) =>
        !traveller.Packet.IsTunnel && (!traveller.IsAnswer || traveller.Packet.Protocol == Packets.Packet.Udp);

    /// <summary><c>fib_props</c>: what connect() and send() say.</summary>
    public static string ErrorOf(RouteAnswer way) => way.Decider is null ? "ENETUNREACH" : way.Type switch
    {
        RouteType.Blackhole => "EINVAL",
        RouteType.Prohibit => "EACCES",
        _ => "EHOSTUNREACH",
    };
}
