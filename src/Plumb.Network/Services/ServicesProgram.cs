using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Network.Services;

/// <summary>
/// The rules that serve all Services of one family. Their number depends on how many different counts of endpoints (and affinity
/// timeouts) there are, never on how many Services.
/// </summary>
/// <remarks>
/// The packet's priority is scratch: it carries a program's number, then a remembered client's endpoint. A pool's count and its slots are
/// two look-ups, and a change may come between them: then the first slot serves, which every pool has.
/// </remarks>
internal sealed class ServicesProgram(ServicesTable table)
{
    private const string Services = "services";
    private const string SeenFromInside = "seen-from-inside";
    private const string Guard = "guard";
    private const string Pick = "pick";
    private const string RacedChain = "raced";
    private const string StickOrDrop = "stick-or-drop";
    private const string RefuseServiceRange = "refuse-service-range";
    private const string RefuseTcp = "refuse-tcp";
    private const string MasqueradeServices = "masquerade-services";

    private readonly TableBuilder _b = table.Builder;
    private readonly Statement _isTransport = Meta.L4Protocol.In(IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp);
    private readonly Selector _frontend = table.Destination + Meta.L4Protocol + Th.DestinationPort;
    private readonly Selector _port = Meta.L4Protocol + Th.DestinationPort;
    private readonly Selector _client = Ct.Mark + table.Source;

    /// <summary>Chains that are always there.</summary>
    public IEnumerable<ChainEntry> Chains() =>
    [
        Hooked(Stages.ServicesIn, _b.Rule(_isTransport, Goto(Services))),
        // Who is on the node is inside; the guard stands before both ways.
        Hooked(
            Stages.ServicesOut,
            _b.Rule(_frontend.In(table.OwnAnswers), Accept),
            _b.Rule(_frontend.In(table.Guarded), Jump(Guard)),
            _b.Rule(_isTransport, Jump(SeenFromInside)),
            _b.Rule(_isTransport, Goto(Services))),
        _b.Chain(
            Services,
            _b.Rule(_frontend.In(table.OwnAnswers), Accept),
            _b.Rule(_frontend.In(table.Guarded), Jump(Guard)),
            _b.Rule(table.Source.In(table.Inside), Jump(SeenFromInside)),
            _b.Rule(Ct.Mark.Set(_frontend.Map(table.Frontends)), Goto(Pick)),
            _b.Rule(table.Destination.In(table.NodePortAddresses), Ct.Mark.Set(_port.Map(table.NodePorts)), Goto(Pick))),
        _b.Chain(
            SeenFromInside,
            _b.Rule(Ct.Mark.Set(_frontend.Map(table.FrontendsInside)), Goto(Pick)),
            _b.Rule(table.Destination.In(table.NodePortAddresses), Ct.Mark.Set(_port.Map(table.NodePortsInside)), Goto(Pick))),
        _b.Chain(Guard, _b.Rule((_frontend + table.Source).In(table.GuardedAllow), Return), _b.Rule(Drop)),
        _b.Chain(
            Pick,
            _b.Rule(Meta.Priority.Set(Ct.Mark.Map(table.Pools)), Meta.Priority.VerdictMap(table.Programs)),
            _b.Rule(Goto(RacedChain))),
        _b.Chain(RacedChain, _b.Rule(Use(table.Raced)), ToSlot(1), _b.Rule(Drop)),

        Hooked(Stages.RefuseIn, _b.Rule(table.Destination.In(table.ServiceRange), Goto(RefuseServiceRange))),
        Hooked(Stages.RefuseOut, _b.Rule(table.Destination.In(table.ServiceRange), Goto(RefuseServiceRange))),
        _b.Chain(RefuseServiceRange, _b.Rule(table.Destination.In(table.OwnAddresses), Accept), Reset(), _b.Rule(Reject)),
        _b.Chain(RefuseTcp, Reset(), _b.Rule(Reject)),
        Hooked(Stages.DropInvalid, _b.Rule(Ct.State.HasAny(ConntrackStates.Invalid), Drop)),

        // Decided from the connection: who has no mark was translated by somebody else.
        Hooked(Stages.ServicesBack, _b.Rule(Ct.Status.HasAny(ConntrackStatuses.DestinationNat), Ct.Mark.IsNot(0), Goto(MasqueradeServices))),
        _b.Chain(
            MasqueradeServices,
            _b.Rule((table.Source + table.Destination).In(table.Hairpin), Statements.Masquerade(NatFlags.FullyRandom)),
            _b.Rule(table.Source.In(table.LocalPods), Return),
            _b.Rule(Ct.Mark.And(PoolMark.LocalBit).Is(PoolMark.LocalBit), Return),
            _b.Rule(Statements.Masquerade(NatFlags.FullyRandom))),
    ];

    /// <summary>What one program needs: its chains, and the element that leads there.</summary>
    /// <remarks>
    /// A jump and not a goto. A packet takes the rules of the generation in which it began (nft_do_chain) but finds elements of the present
    /// one: while a chain is made, it may be led there before it has rules for it. It then comes back to <see cref="Pick"/>, and is not let
    /// go as it is.
    /// </remarks>
    public IEnumerable<Entry> Of(PoolProgram program)
    {
        if (!program.IsSpread)
        {
            yield return Leads(program, program == PoolProgram.Drop ? Verdict.Drop : Verdict.Goto(RefuseTcp));
        }
        else if (program.AffinitySeconds is not { } seconds)
        {
            yield return _b.Chain(program.ToString(), ToSlot((uint)program.Count), _b.Rule(Goto(RacedChain)));
            yield return Leads(program, Verdict.Jump(program.ToString()));
        }
        else
        {
            var (known, chosen) = ($"stick-{seconds}", $"stick-new-{seconds}");
            // An update starts the time again and leaves the endpoint as it is: hence the deletion of what proved wrong.
            var remember = Update(table.Sticky, _client, TimeSpan.FromSeconds(seconds), Meta.Priority);
            yield return _b.Chain(StickOrDrop, ToRemembered(), _b.Rule(Drop));
            yield return _b.Chain(known, _b.Rule(remember), ToRemembered());
            yield return _b.Chain(chosen, _b.Rule(remember), _b.Rule(Goto(StickOrDrop)));
            yield return _b.Chain(
                program.ToString(),
                _b.Rule(Meta.Priority.Set(_client.Map(table.Sticky)), Jump(known)),
                _b.Rule(Delete(table.Sticky, _client, Meta.Priority)),
                Choose((uint)program.Count, chosen),
                _b.Rule(Use(table.Raced)),
                Choose(1, chosen),
                _b.Rule(Drop));
            yield return Leads(program, Verdict.Jump(program.ToString()));
        }
    }

    private Rule ToSlot(uint count) => _b.Rule(_isTransport, Dnat(table.Family, (Ct.Mark + Number.Random(count)).Map(table.Backends)));

    private Rule ToRemembered() => _b.Rule(_isTransport, Dnat(table.Family, (Ct.Mark + Meta.Priority).Map(table.StickyBackends)));

    private Rule Choose(uint count, string then) =>
        _b.Rule(Meta.Priority.Set((Ct.Mark + Number.Random(count)).Map(table.StickySlots)), Goto(then));

    private Rule Reset() => _b.Rule(Meta.L4Protocol.Is(IpProtocol.Tcp), RejectWithTcpReset);

    private ElementEntry Leads(PoolProgram program, Verdict verdict) => table.Programs.Element([program.Number], verdict);

    private ChainEntry Hooked(Stage stage, params ReadOnlySpan<Rule> rules) => stage.In(_b.Namespace, _b.Id, rules);
}
