using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>One packet on its way through a table's chains; where rules choose at random there are several.</summary>
internal sealed class XtWay(HookPlace place, XtChain chain, Packet packet, Connection? connection)
{
    private Caller? _callers;
    private int _jumps;

    public HookPlace Place => place;

    public XtChain Chain { get; private set; } = chain;

    public int Next { get; set; }

    public Packet Packet { get; set; } = packet;

    public Connection? Connection { get; set; } = connection;

    public double Probability { get; set; } = 1;

    public Steps? Steps { get; set; }

    public (IpAddress Address, ushort Port)? Proxy { get; set; }

    public XtWay Copy(double chance) => new(place, Chain, Packet, Connection)
    {
        Next = Next, Probability = Probability * chance, Steps = Steps, Proxy = Proxy, _callers = _callers, _jumps = _jumps,
    };

    public HookOutcome Outcome(Decision decision) => new(Probability, decision, Packet, Connection, Steps.InOrder(Steps)) { Proxy = Proxy, Changes = place.Changes };

    public void Tell(int rule, string what, double chance)
    {
        var (key, number) = Chain.Source(rule);
        var told = Chain.Read(rule);
        Steps = new Steps(new RuleStep(key, number, told.Text, what) { Chance = chance, Stamp = told.Comment is { } comment ? new Stamp(comment) : null }, Steps);
    }

    /// <returns>Whether chains may lead on at all.</returns>
    public bool Enter(XtChain next, int rule, bool isGoto, double chance, int mostJumps)
    {
        var before = Steps;
        Tell(rule, $"{(isGoto ? "goto" : "jump")} {next.Name}", chance);
        Steps = Steps! with { OnlyLeads = true };
        if (!isGoto)
        {
            _callers = new Caller(Chain, Next, before, _callers);
        }
        (Chain, Next) = (next, 0);
        return ++_jumps <= mostJumps;
    }

    /// <summary>Back to where the chain was jumped to from; false: from nowhere.</summary>
    public bool Return()
    {
        if (_callers is not { } caller)
        {
            return false;
        }
        Steps = Steps.WithoutIdle(Steps, caller.Before);
        (Chain, Next, _callers) = (caller.Chain, caller.Next, caller.Outer);
        return true;
    }

    /// <summary>What the mark becomes; null: nothing was done.</summary>
    public string? Mark(XtTarget target)
    {
        var tracked = Connection is { IsTracked: true } connection ? connection : null;
        switch (target)
        {
            case XtTarget.SetMark set:
                Packet = Packet with { Mark = (Packet.Mark & ~set.Mask) ^ set.Value };
                return $"mark 0x{Packet.Mark:x}";
            case XtTarget.SetConnectionMark set when tracked is not null:
                return ConnectionMark(tracked, (tracked.Mark.Value & ~set.Mask) ^ set.Value);
            case XtTarget.SaveMark save when tracked is not null:
                return ConnectionMark(tracked, (tracked.Mark.Value & ~save.ConnectionMask) ^ (Packet.Mark & save.PacketMask));
            case XtTarget.RestoreMark restore when tracked is not null:
                Packet = Packet with { Mark = (Packet.Mark & ~restore.PacketMask) ^ (tracked.Mark.Value & restore.ConnectionMask) };
                return $"mark 0x{Packet.Mark:x}";
            case XtTarget.NoTrack:
                Connection = Translation.Unseen(ConnectionState.Untracked, Packet);
                return "notrack";
            case XtTarget.SetZone set:
                var zone = set.Zone ?? (ushort)Packet.Mark;
                Connection = Translation.Unseen(ConnectionState.Template, Packet) with { Zone = zone };
                return $"zone {zone}";
            default:
                return null;
        }
    }

    private string ConnectionMark(Connection tracked, uint mark)
    {
        Connection = tracked with { Mark = new ConnectionMark(mark) };
        return $"connection mark {Connection.Mark}";
    }

    /// <param name="Before">The steps before the jump.</param>
    private sealed record Caller(XtChain Chain, int Next, Steps? Before, Caller? Outer);
}
