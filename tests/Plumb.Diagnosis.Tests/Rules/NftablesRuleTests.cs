using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>What single rules do, where a kernel would only say so by chance or not at all.</summary>
public sealed class NftablesRuleTests
{
    private static readonly NamespaceId _node = new("node-1");
    private static readonly TableBuilder _table = new(_node, new TableId(TableFamily.Inet, "t"));

    private static readonly Packet _syn = new(IpAddress.V4(10, 1, 0, 1), IpAddress.V4(10, 2, 0, 1), Packet.Tcp) { SourcePort = 40000, DestinationPort = 80, Flags = TcpFlags.Syn };
    private static readonly Packet _datagram6 = new(IpAddress.Parse("fd00::1"), IpAddress.Parse("fd00::2"), Packet.Udp) { SourcePort = 5000, DestinationPort = 53, TrafficClass = 0x28, TimeToLive = 9 };

    [Fact]
    public void A_number_taken_at_random_out_of_very_many_parts_only_where_the_rule_asks()
    {
        var outcomes = Run([_table.Rule(Number.Random(1_000_000).Is(7), Drop), _table.Rule(Number.Random(1_000_000).Is(Value.Range(0, 249_999)), Drop)], _syn);
        Assert.Equal(1e-6 + ((1 - 1e-6) / 4), outcomes.Where(static outcome => outcome.Decision == Decision.Drop).Sum(static outcome => outcome.Probability), 9);
        Assert.Equal(1, outcomes.Sum(static outcome => outcome.Probability), 9);
        Assert.Equal(3, outcomes.Count);
    }

    [Fact]
    public void Ways_that_end_alike_are_one()
    {
        var outcomes = Run([_table.Rule(Number.Random(4).Is(Value.Range(0, 2)), Meta.Mark.Set(5))], _syn);
        Assert.Equal([(0u, 0.25), (5u, 0.75)], outcomes.Select(static outcome => (outcome.Packet.Mark, outcome.Probability)).Order());
    }

    [Fact]
    public void What_the_packet_does_not_say_is_undecided_unless_what_it_says_is_enough()
    {
        var (undecided, missed) = (Run([_table.Rule(Tcp.Sequence.Is(7), Drop)], _syn), Run([_table.Rule(Udp.Checksum.Is(7), Drop)], _syn));
        Assert.Equal(Decision.Undecided, Assert.Single(undecided).Decision);
        Assert.Equal("tcp sequence 7 drop", Assert.Single(undecided[0].Steps).Text);
        Assert.Equal(Decision.Accept, Assert.Single(missed).Decision);
        Assert.Equal(Decision.Undecided, Assert.Single(Run([_table.Rule(LocalSocket.Mark.Is(1), Drop)], _syn)).Decision);
        Assert.Equal(Decision.Undecided, Assert.Single(Run([new Rule([new UnknownExpression("osf", default)])], _syn)).Decision);
    }

    [Fact]
    public void A_status_that_only_the_kernel_knows_does_not_hide_one_that_is_seen()
    {
        var known = Hooks.New(_syn) with { State = ConnectionState.Established, IsKnown = true };
        Assert.Equal(Decision.Accept, Assert.Single(Run([_table.Rule(Ct.Status.HasAny(ConntrackStatuses.DestinationNat), Drop)], _syn, known)).Decision);
        Assert.Equal(Decision.Drop, Assert.Single(Run([_table.Rule(Ct.Status.HasAny(ConntrackStatuses.SeenReply), Drop)], _syn, known)).Decision);
        Assert.Equal(Decision.Undecided, Assert.Single(Run([_table.Rule(Ct.Status.HasAny(ConntrackStatuses.Assured), Drop)], _syn, known)).Decision);
    }

    [Theory]
    [InlineData(RejectKind.Icmpx, 0, 3, 0, 1, 0)]
    [InlineData(RejectKind.Icmpx, 1, 3, 3, 1, 4)]
    [InlineData(RejectKind.Icmpx, 2, 3, 1, 1, 3)]
    [InlineData(RejectKind.Icmpx, 3, 3, 13, 1, 1)]
    public void A_refusal_is_told_in_each_family_s_own_codes(RejectKind kind, byte code, byte type4, byte code4, byte type6, byte code6)
    {
        Rule[] rules = [_table.Rule(RejectWith(kind, code))];
        Assert.Equal(new RejectAnswer(false, new IcmpKind(type4, code4)), Assert.Single(Run(rules, _syn)).Answer);
        Assert.Equal(new RejectAnswer(false, new IcmpKind(type6, code6)), Assert.Single(Run(rules, _datagram6)).Answer);
    }

    [Fact]
    public void An_IPv6_packet_s_header_is_read_where_its_fields_are()
    {
        Assert.Equal(Decision.Drop, Verdict(Ip6.Source.Is(IpPrefix.Parse("fd00::/127"))));
        Assert.Equal(Decision.Drop, Verdict(Ip6.Dscp.Is(10)));
        Assert.Equal(Decision.Drop, Verdict(Ip6.HopLimit.Is(9)));
        Assert.Equal(Decision.Drop, Verdict(Udp.DestinationPort.Is(53)));
        Assert.Equal(Decision.Accept, Verdict(Ip.TimeToLive.Is(9)));
        Assert.Equal(Decision.Undecided, Verdict(Ip6.FlowLabel.Is(1)));

        static Decision Verdict(Statement match) => Assert.Single(Run([_table.Rule(match, Drop)], _datagram6)).Decision;
    }

    [Fact]
    public void What_a_rule_puts_into_a_set_a_later_rule_finds_and_a_full_set_stops_the_rule()
    {
        var clients = _table.Set("clients", SetFlags.Dynamic, DataType.Ipv4Address) with { Size = 1 };
        Rule[] rules = [_table.Rule(Add(clients, Ip.Source)), _table.Rule(Ip.Source.In(clients), Drop)];
        Assert.Equal(Decision.Drop, Assert.Single(Run(rules, _syn, clients)).Decision);
        Assert.Equal(Decision.Accept, Assert.Single(Run(rules, _syn, clients, clients.Element([IpAddress.V4(10, 9, 9, 9)]))).Decision);
    }

    [Fact]
    public void A_set_in_which_no_element_agrees_with_what_is_known_of_the_key_has_none_for_it()
    {
        var ping = new Packet(_syn.Source, _syn.Destination, Packet.Icmp) { Message = new IcmpKind(8, 0) };
        var exact = _table.Set("frontends", DataType.Ipv4Address, DataType.IpProtocol, DataType.Port);
        var ranges = _table.Set("ranges", SetFlags.Interval, DataType.Ipv4Address, DataType.IpProtocol, DataType.Port);
        foreach (var set in (SetEntry[])[exact, ranges])
        {
            Rule[] rules = [_table.Rule((Ip.Destination + Meta.L4Protocol + Th.DestinationPort).In(set), Drop)];
            Assert.Equal(Decision.Accept, Decide(set.Element([_syn.Destination, IpProtocol.Tcp, 80])));
            // What would be the port is the checksum.
            Assert.Equal(Decision.Undecided, Decide(set.Element([_syn.Destination, IpProtocol.Icmp, 80])));
            Assert.Equal(Decision.Accept, Decide(set.Element([IpAddress.V4(10, 9, 9, 9), IpProtocol.Icmp, 80])));

            Decision Decide(Entry element) => Assert.Single(Run(rules, ping, set, element)).Decision;
        }
    }

    [Theory]
    [InlineData(false, 0, Decision.Drop)]
    [InlineData(true, 0, Decision.Accept)]
    [InlineData(false, 5000, Decision.Accept)]
    [InlineData(true, 5000, Decision.Drop)]
    public void A_quota_knows_what_it_has_used(bool over, ulong used, Decision decision) =>
        Assert.Equal(decision, Assert.Single(Run([new Rule([new QuotaExpression(5000, over, used), .. _table.Rule(Drop).Expressions])], _syn)).Decision);

    [Fact]
    public void A_packet_alone_is_below_every_limit()
    {
        Assert.Equal(Decision.Drop, Assert.Single(Run([_table.Rule(Limit(1, 60), Drop)], _syn)).Decision);
        Assert.Equal(Decision.Accept, Assert.Single(Run([_table.Rule(Limit(1, 60, over: true), Drop)], _syn)).Decision);
    }

    [Fact]
    public void A_nat_chain_is_not_asked_where_no_rule_needs_connections()
    {
        var accepts = _table.Base("src", ChainType.Nat, ChainHook.Postrouting, 100, _table.Rule(Drop));
        var place = new HookPlace(_node, ChainHook.Postrouting, "c", "s");
        Assert.Equal(Decision.Accept, Assert.Single(Hooks.Run(Programs(accepts), _syn, null, place)).Decision);
        var filter = _table.Base("f", ChainType.Filter, ChainHook.Input, 0, _table.Rule(Ct.State.HasAny(ConntrackStates.New), Drop));
        Assert.False(Programs(accepts).TracksConnections(IpFamily.V4));
        Assert.True(Programs(accepts, filter).TracksConnections(IpFamily.V4));
        Assert.Equal(Decision.Drop, Assert.Single(Hooks.Run(Programs(accepts, filter), _syn, Hooks.New(_syn), place)).Decision);
    }

    [Fact]
    public void A_dormant_table_is_asked_nothing()
    {
        var drops = _table.Base("p", ChainType.Filter, ChainHook.Prerouting, 0, _table.Rule(Drop));
        Assert.Empty(Programs(_table.Table() with { Flags = TableFlags.Dormant }, drops).At(IpFamily.V4, ChainHook.Prerouting));
        Assert.Single(Programs(_table.Table(), drops).At(IpFamily.V6, ChainHook.Prerouting));
    }

    [Fact]
    public void Chains_of_a_file_that_lead_back_to_themselves_are_named_as_such()
    {
        var chain = _table.Chain("round", _table.Rule(Goto("round")));
        var outcome = Assert.Single(Run([_table.Rule(Goto("round"))], _syn, chain));
        Assert.Equal(Decision.Undecided, outcome.Decision);
        Assert.Contains("lead back to themselves", outcome.Steps[^1].What, StringComparison.Ordinal);
    }

    private static HookPrograms Programs(params Entry[] entries) =>
        new(entries.Select(static entry => new Observed(entry, Owner.Foreign, null, new KernelFacts())), _node);

    private static IReadOnlyList<HookOutcome> Run(Rule[] rules, Packet packet, params Entry[] others) => Run(rules, packet, Hooks.New(packet), others);

    private static IReadOnlyList<HookOutcome> Run(Rule[] rules, Packet packet, Connection connection, params Entry[] others) =>
        Assert.Single(Programs([.. others, _table.Base("p", ChainType.Filter, ChainHook.Prerouting, 0, rules)]).At(packet.Family, ChainHook.Prerouting))
            .Run(packet, connection, new HookPlace(_node, ChainHook.Prerouting, "eth0", null));
}
