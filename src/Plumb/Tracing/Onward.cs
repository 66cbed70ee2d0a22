using Plumb.Diagnosis.Observe;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Scenes;

namespace Plumb.Tracing;

/// <summary>Walks the connections that a proxy opened for a request: what is wrong behind it is not to be seen in front of it.</summary>
internal static class Onward
{
    public static async Task<IReadOnlyList<TracedOnward>> OfAsync(IScene scene, IReadOnlyList<OnwardConnection> seen)
    {
        var told = new List<TracedOnward>(seen.Count);
        foreach (var one in seen)
        {
            var isV4 = one.Packet.Destination.Family == IpFamily.V4;
            var trace = new Walker(scene.World).Walk(
                new Packet(one.Packet.Source, one.Packet.Destination, Packet.Tcp)
                {
                    SourcePort = one.Packet.SourcePort, DestinationPort = one.Packet.DestinationPort, Flags = TcpFlags.Syn, Length = isV4 ? 60 : 80, DontFragment = true,
                },
                one.Space);
            var telling = new Telling(scene, await PlannedCauses.OfAsync(scene, trace, isAll: false));
            var near = await Nearness.OfAsync(scene, trace.Packet, trace);
            told.Add(new TracedOnward(telling.Place(one.Space), Telling.Packet(trace.Packet), one.Answer, trace.Outcomes.Any(outcome => Agrees(outcome.Verdict, one.Answer)), [.. trace.Outcomes.Select((outcome, i) => telling.Outcome(outcome, near[i]))]));
        }
        return told;
    }

    private static bool Agrees(Verdict predicted, ProbeAnswer seen) => seen switch
    {
        ProbeAnswer.Answered => predicted == Verdict.Delivered,
        ProbeAnswer.Refused => predicted == Verdict.Refused,
        _ => predicted is Verdict.Lost or Verdict.Loop or Verdict.Refused,
    };
}
