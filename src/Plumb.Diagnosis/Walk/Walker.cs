using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Segments;
using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Diagnosis.Walk.Stages;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk;

/// <summary>Walks a packet through the kernels of a world, and the answer back. The table of stages is the path: what a trace prints is what ran.</summary>
public sealed class Walker
{
    // A way of 64 hosts has some 700 stages; ways that divide at each of them are nobody's network.
    private const int MostSteps = 4096;
    private const int MostOutcomes = 256;

    private static readonly Dictionary<Stage, IStage> Stages = new IStage[]
    {
        new SendStage(),
        new OutputStage(),
        new PostroutingStage(),
        new NeighbourStage(),
        new TransmitStage(),
        new ReceiveStage(),
        new BridgeStage(),
        new PreroutingStage(),
        new RouteStage(),
        new ForwardStage(),
        new InputStage(),
        new DeliverStage(),
    }.ToDictionary(static stage => stage.Stage);

    private readonly Surroundings _around;

    public Walker(IWorld world)
    {
        var uppers = new Uppers(world);
        _around = new Surroundings(world, new Segment(world, uppers, ComesOut), uppers);
    }

    /// <param name="packet">With an unspecified source the sender chooses it.</param>
    /// <param name="from">Where a socket sends it.</param>
    /// <exception cref="ArgumentException">That namespace cannot be seen.</exception>
    public Trace Walk(Packet packet, NamespaceId from)
    {
        ArgumentNullException.ThrowIfNull(packet);
        var space = _around.World.Find(from) ?? throw new ArgumentException($"no namespace {from} can be seen", nameof(from));
        var outcomes = new List<Outcome>();
        foreach (var end in Ends(new Traveller(space, Stage.Send, packet, Memory.Empty)))
        {
            outcomes.AddRange(Home(end, from));
        }
        outcomes.Sort(static (a, b) => b.Probability.CompareTo(a.Probability));
        return new Trace(packet, from, outcomes);
    }

    private List<Step.End> Ends(Traveller start)
    {
        var ends = new List<Step.End>();
        var open = new Stack<Traveller>([start]);
        for (var steps = 0; open.TryPop(out var traveller); steps++)
        {
            if (steps >= MostSteps || ends.Count >= MostOutcomes)
            {
                ends.Add(traveller.End(Ending.Undecided, "it has too many ways to follow them all", traveller.Note("not followed further")));
                continue;
            }
            foreach (var step in Stages[traveller.Stage].Pass(traveller, _around).Reverse())
            {
                if (step is Step.End end)
                {
                    ends.Add(end);
                }
                else
                {
                    open.Push(step is Step.Away away ? away.Traveller : ((Step.On)step).Traveller);
                }
            }
        }
        return ends;
    }

    /// <summary>Where a packet is no longer a tunnel's.</summary>
    private Station? ComesOut(Traveller sent)
    {
        var open = new Stack<Traveller>([sent]);
        for (var steps = 0; steps < MostSteps && open.TryPop(out var traveller); steps++)
        {
            if (traveller.Packet.Inner is null)
            {
                return new Station(traveller.Space, traveller.In!);
            }
            foreach (var step in Stages[traveller.Stage].Pass(traveller, _around).Reverse())
            {
                if (step is Step.On on)
                {
                    open.Push(on.Traveller);
                }
            }
        }
        return null;
    }

    /// <summary>The ways of the answer, if there is one, back to the sender.</summary>
    private IEnumerable<Outcome> Home(Step.End there, NamespaceId from)
    {
        var at = there.Traveller;
        if (there.Answer is not { } answer)
        {
            yield return Outcome(there, null, Silent(there.Ending), there.Reason, there.Killer);
            yield break;
        }
        var sent = at.Hops[0].After;
        var isSaidByKernel = there.Ending != Ending.Taken;
        if (isSaidByKernel && !at.IsV4 && answer.Source.IsUnspecified && SourceAddress.TowardsV6(at.Space, at.In, answer.Destination) is { } own)
        {
            // icmp6_send: as the device would by which it came in.
            answer = answer with { Source = own };
        }
        var back = new Traveller(at.Space, Stage.Send, answer, at.Memory)
        {
            Probability = at.Probability,
            IsAnswer = true,
            Connection = isSaidByKernel ? ConnectionTracking.Attached(at.Connection) : null,
        };
        if (there.AnswersBy is { } port)
        {
            // ip_route_me_harder all the same: to whom no route leads nothing is sent.
            var way = RouteLookup.Find(at.Space, new RouteQuestion(answer.Source, answer.Destination, answer.Mark, answer.TrafficClass, null, null))[0];
            if (!way.LeadsOn && !way.IsLocal)
            {
                yield return Outcome(there, null, Verdict.Lost, $"{there.Reason}; and no route leads {AnswerWords.Of(answer)} home", there.Killer);
                yield break;
            }
            back = back with { Stage = Stage.Transmit, Out = port, FrameSource = at.FrameDestination, FrameDestination = at.FrameSource };
        }
        foreach (var end in Ends(back))
        {
            var isHome = end.Ending == Ending.Taken && end.Traveller.Space.Id == from;
            if (isHome && Recognises(sent, end.Traveller.Packet))
            {
                yield return isSaidByKernel
                    ? Outcome(there, end, Verdict.Refused, $"{there.Reason}; {AnswerWords.Of(answer)} comes back", there.Killer)
                    : Outcome(there, end, Verdict.Delivered, there.Reason, null);
            }
            else if (isHome)
            {
                var reason = $"the answer comes from {AnswerWords.Place(end.Traveller.Packet)}, and {AnswerWords.Destination(sent)} was asked: nobody knows it there";
                yield return Outcome(there, end, Verdict.Lost, reason, end.Traveller.Hops[^1]);
            }
            else
            {
                var reason = isSaidByKernel
                    ? $"{there.Reason}; and {AnswerWords.Of(answer)} does not come home: {end.Reason}"
                    : $"it arrives, and the answer does not come home: {end.Reason}";
                yield return Outcome(there, end, end.Ending is Ending.Undecided or Ending.Loop ? Silent(end.Ending) : Verdict.Lost, reason, isSaidByKernel ? there.Killer : end.Killer);
            }
        }
    }

    private static Verdict Silent(Ending ending) => ending switch
    {
        Ending.Taken => Verdict.Delivered,
        Ending.Error => Verdict.Refused,
        Ending.Loop => Verdict.Loop,
        Ending.Undecided => Verdict.Undecided,
        _ => Verdict.Lost,
    };

    /// <summary>Whether the sender's socket takes a packet for an answer to what it sent.</summary>
    private static bool Recognises(Packet sent, Packet came)
    {
        if (Tuples.IsError(came) && came.Inner is { } quoted)
        {
            return Tuples.Of(quoted.Packet) == Tuples.Of(sent);
        }
        return Tuples.Of(came) == Tuples.Inverse(Tuples.Of(sent));
    }

    private static Outcome Outcome(Step.End there, Step.End? back, Verdict verdict, string reason, Hop? killer) =>
        new(back?.Traveller.Probability ?? there.Traveller.Probability, verdict, reason, there.Traveller.Hops, back?.Traveller.Hops ?? [])
        {
            Killer = killer,
            Final = there.Traveller.Packet,
            End = there.Traveller.Space.Id,
            Arrived = there.Ending == Ending.Taken,
            Answer = back?.Traveller.Packet,
        };
}
