using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>NF_INET_LOCAL_OUT. What rules changed is routed anew (<c>ip_route_me_harder</c>).</summary>
internal sealed class OutputStage : IStage
{
    public Stage Stage => Stage.Output;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        var before = traveller.Packet;
        foreach (var step in Hooks.Pass(traveller, ChainHook.Output, static passed => passed.Go(Stage.Postrouting)))
        {
            if (step is not Step.On { Traveller: var passed } || !IsChanged(before, passed.Packet))
            {
                yield return step;
                continue;
            }
            var packet = passed.Packet;
            foreach (var way in RouteLookup.Find(passed.Space, new RouteQuestion(packet.Source, packet.Destination, packet.Mark, packet.TrafficClass, null, null)))
            {
                if (!way.IsLocal && !way.LeadsOn)
                {
                    // sendmsg says so; TCP tries again, in vain.
                    var reason = $"no route to {packet.Destination}, where rules sent it";
                    var here = passed with { Stage = Stage.Output };
                    yield return packet.Protocol == Packets.Packet.Tcp
                        ? here.Drop(reason, way.Decider)
                        : here.End(Ending.Error, $"{reason} ({SendStage.ErrorOf(way)})", here.Note(reason, way.Decider));
                    continue;
                }
                var device = way.IsLocal ? "lo" : way.Hop!.Device ?? "";
                var hop = (passed with { Stage = Stage.Output }).Note(way.IsLocal ? "stays on this host" : RouteWords.Of(way), way.Decider, device) with { Chance = way.Probability };
                yield return new Step.On((passed with { Route = way, Out = device, Probability = passed.Probability * way.Probability }).To(Stage.Postrouting, hop));
            }
        }
    }

    private static bool IsChanged(Packets.Packet before, Packets.Packet after) =>
        before.Source != after.Source || before.Destination != after.Destination || before.Mark != after.Mark || before.TrafficClass != after.TrafficClass;
}
