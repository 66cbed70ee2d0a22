using Plumb.Diagnosis.Packets;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>A built-in chain and all that it leads to, run as ipt_do_table runs it.</summary>
internal sealed class XtProgram(XtTable table, XtChain chain, int priority, bool isNat, IReadOnlyList<AddressEntry> addresses) : IHookProgram
{
    private const int MostJumps = 100_000;

    public int Priority => priority;

    public bool IsNat => isNat;

    public IReadOnlyList<HookOutcome> Run(Packet packet, Connection? connection, HookPlace place)
    {
        if (isNat && !Translation.IsTracked(connection))
        {
            return [new HookOutcome(1, Decision.Accept, packet, connection, []) { Changes = place.Changes }];
        }
        var outcomes = new List<HookOutcome>();
        var waiting = new Stack<XtWay>();
        waiting.Push(new XtWay(place, chain, packet, connection));
        while (waiting.TryPop(out var way))
        {
            while (Advance(way, waiting, outcomes))
            {
            }
        }
        return outcomes;
    }

    // False: the way has ended.
    private bool Advance(XtWay way, Stack<XtWay> waiting, List<HookOutcome> outcomes)
    {
        if (way.Next >= way.Chain.Count)
        {
            if (way.Return())
            {
                return true;
            }
            outcomes.Add(AtPolicy(way));
            return false;
        }
        var number = way.Next++;
        if (way.Chain.For(way.Packet.Destination, number) is not { } rule)
        {
            return true;
        }
        var likely = rule.Matches(new XtPacket(way.Packet, way.Connection, way.Place), out var unknown);
        if (likely is not { } chance)
        {
            way.Tell(number, $"cannot be decided: '{unknown}' is not known here", 1);
            outcomes.Add(way.Outcome(Decision.Undecided));
            return false;
        }
        if (chance == 0)
        {
            return true;
        }
        if (chance < 1)
        {
            waiting.Push(way.Copy(1 - chance));
            way.Probability *= chance;
        }
        if (rule.Target is XtTarget.Nat or XtTarget.NetMap or XtTarget.Masquerade or XtTarget.Redirect)
        {
            Translate(way, rule.Target, number, chance, outcomes);
            return false;
        }
        if (Do(way, rule.Target, number, chance) is not { } outcome)
        {
            return true;
        }
        outcomes.Add(outcome);
        return false;
    }

    private HookOutcome AtPolicy(XtWay way)
    {
        if (!chain.IsDropping)
        {
            way.Steps = Steps.WithoutIdle(way.Steps, null);
            return way.Outcome(Decision.Accept);
        }
        way.Steps = new Steps(new RuleStep(chain.Key, 0, $"-P {chain.Name} DROP", "drop by policy"), way.Steps);
        return way.Outcome(Decision.Drop);
    }

    /// <summary>Null: the packet goes on.</summary>
    private HookOutcome? Do(XtWay way, XtTarget target, int rule, double chance)
    {
        switch (target)
        {
            case XtTarget.Nothing:
                return null;
            case XtTarget.Accept:
                return Ends(Decision.Accept, "accept");
            case XtTarget.Drop:
                return Ends(Decision.Drop, "drop");
            case XtTarget.Queue:
                return Ends(Decision.Queue, "handed to a program");
            case XtTarget.Reject reject:
                return Ends(Decision.Reject, reject.With == "tcp-reset" ? "reject with a reset" : "reject") with { Answer = Rejections.Of(reject.With, way.Packet) };
            case XtTarget.Return:
                way.Tell(rule, "return", chance);
                return way.Return() ? null : AtPolicy(way);
            case XtTarget.Chain to:
                if (table.Chain(to.Name) is not { } next)
                {
                    return Ends(Decision.Undecided, $"cannot be decided: '{to.Name}' is not known here");
                }
                if (!way.Enter(next, rule, to.IsGoto, chance, MostJumps))
                {
                    return Ends(Decision.Undecided, "cannot be decided: chains lead back to themselves");
                }
                return null;
            case XtTarget.NoTrack or XtTarget.SetZone when way.Connection is not null:
                return null;
            case XtTarget.Unknown unknown:
                return Ends(Decision.Undecided, $"cannot be decided: '{unknown.Name}' is not known here");
            case XtTarget.TransparentProxy proxy:
                way.Packet = way.Packet with { Mark = (way.Packet.Mark & ~proxy.Mask) ^ proxy.Mark };
                way.Proxy = (proxy.Address ?? Linux.Addresses.IpAddress.Unspecified(way.Packet.Family), proxy.Port == 0 ? way.Packet.DestinationPort : proxy.Port);
                return Ends(Decision.Accept, $"to the transparent socket at {EndpointText.Of(way.Proxy.Value.Address, way.Proxy.Value.Port)}");
            default:
                if (way.Mark(target) is { } what)
                {
                    way.Tell(rule, what, chance);
                }
                return null;
        }

        HookOutcome Ends(Decision decision, string what)
        {
            way.Tell(rule, what, chance);
            return way.Outcome(decision);
        }
    }

    // Translation is an answer to the packet: no later rule of the table is asked.
    private void Translate(XtWay way, XtTarget target, int rule, double chance, List<HookOutcome> outcomes)
    {
        var (destination, range, what) = XtNat.RangeOf(target, way, chain.Hook, addresses);
        var connection = way.Connection is { IsTracked: true } tracked ? tracked : null;
        var ways = range is null || connection is null ? []
            : destination ? Translation.OfDestination(way.Packet, connection, range.Value)
            : Translation.OfSource(way.Packet, connection, range.Value);
        if (ways.Count == 0)
        {
            var why = range is null ? "which address the device has is not known here"
                : connection is null ? "nobody tracks the connection that it translates"
                : "too many addresses or ports to choose from";
            way.Tell(rule, $"cannot be decided: {why}", chance);
            outcomes.Add(way.Outcome(Decision.Undecided));
        }
        foreach (var (packet, changed) in ways)
        {
            var end = way.Copy(1.0 / ways.Count);
            (end.Packet, end.Connection) = (packet, changed);
            end.Tell(rule, Translation.Describe(what, destination, packet, changed), chance / ways.Count);
            outcomes.Add(end.Outcome(Decision.Accept));
        }
    }
}
