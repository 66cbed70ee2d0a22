using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>
/// Rules of which most match some packet: few addresses, ports and marks, used by rules, sets and packets alike. Every rule counts behind its matches, so that the
/// kernel says which it went through. Nothing is left to chance.
/// </summary>
internal sealed class RandomRules(int seed)
{
    private static readonly int[] _ports = [80, 443, 8080, 53];

    private readonly Random _random = new(seed);
    private readonly List<Entry> _entries = [];

    public IReadOnlyList<Entry> Build()
    {
        Table(new TableBuilder(Crossing.Router, new TableId(TableFamily.Ip, "first")));
        if (_random.Next(2) == 0)
        {
            Table(new TableBuilder(Crossing.Router, new TableId(TableFamily.Inet, "second")));
        }
        return _entries;
    }

    /// <param name="number">Its source port: where no two are the same, each packet is the first of its connection.</param>
    public Packet NextPacket(ushort number)
    {
        var packet = new Packet(Source(), _random.Next(12) == 0 ? Crossing.RouterAddress : Destination(), (byte)Pick(Packet.Tcp, Packet.Udp, Packet.Icmp))
        {
            TrafficClass = (byte)(_random.Next(4) * 32),
            TimeToLive = (byte)Pick(64, 10),
            Length = Pick(60, 100),
        };
        return packet.Protocol == Packet.Icmp
            ? packet with { Message = new IcmpKind(8, 0), EchoId = number }
            : packet with { SourcePort = number, DestinationPort = (ushort)Pick(_ports), Flags = packet.Protocol == Packet.Tcp ? TcpFlags.Syn : TcpFlags.None };
    }

    private T Pick<T>(params T[] of) => of[_random.Next(of.Length)];

    private IpAddress Source() => IpAddress.V4(10, 1, 0, (byte)_random.Next(1, 5));

    private IpAddress Destination() => IpAddress.V4(10, 2, (byte)_random.Next(2), (byte)_random.Next(1, 5));

    private void Table(TableBuilder table)
    {
        _entries.Add(table.Table());
        var sets = Sets(table);
        _entries.Add(table.Chain("leaf", Counted(table, Continue)));
        string[] names = ["a", "b", "c"];
        for (var i = 0; i < names.Length; i++)
        {
            _entries.Add(table.Chain(names[i], Rules(table, [.. names[(i + 1)..], "leaf"], sets, null)));
        }
        foreach (var hook in (ChainHook[])[ChainHook.Prerouting, ChainHook.Input, ChainHook.Forward, ChainHook.Postrouting])
        {
            for (var i = 0; i < _random.Next(3); i++)
            {
                Base(table, $"{hook}-{i}", ChainType.Filter, hook, Pick(-300, -150, -10, 0, 0, 10), names, sets);
            }
        }
        if (_random.Next(3) > 0)
        {
            Base(table, "dst", ChainType.Nat, ChainHook.Prerouting, Pick(-100, -90), names, sets);
        }
        if (_random.Next(3) > 0)
        {
            Base(table, "src", ChainType.Nat, ChainHook.Postrouting, Pick(100, 110), names, sets);
        }
    }

    private void Base(TableBuilder table, string name, ChainType type, ChainHook hook, int priority, string[] chains, List<SetEntry> sets)
    {
        var marker = table.Rule(Udp.DestinationPort.Is(Crossing.MarkerPort), Accept);
        // What the router itself answers with is not asked about.
        var own = hook == ChainHook.Postrouting ? [table.Rule(Meta.InputName.IsNot(Value.Interface("c")), Accept)] : (Rule[])[];
        var chain = table.Base(name, type, hook, priority, [marker, .. own, .. Rules(table, chains, sets, type == ChainType.Nat ? hook : null)]);
        _entries.Add(chain with { Base = chain.Base! with { Policy = type == ChainType.Filter && _random.Next(8) == 0 ? VerdictCode.Drop : VerdictCode.Accept } });
    }

    private Rule[] Rules(TableBuilder table, string[] chains, List<SetEntry> sets, ChainHook? nat) =>
        [.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => Rule(table, chains, sets, nat))];

    private static Rule Counted(TableBuilder table, params ReadOnlySpan<Statement> steps) => table.Rule([.. steps[..^1], Counter, steps[^1]]);

    private Rule Rule(TableBuilder table, string[] chains, List<SetEntry> sets, ChainHook? nat)
    {
        var steps = new List<Statement>();
        // Where there are no ports, what stands in their place is a checksum, which nobody here knows.
        if (_random.Next(2) == 0)
        {
            steps.Add(_ported);
            steps.Add(_random.Next(3) switch
            {
                0 => Th.DestinationPort.Is(Pick(_ports)),
                1 => Th.DestinationPort.Is(Value.Range(50, Pick(90, 500))),
                _ => In(Pick([.. sets.Where(static set => set.Schema.Data is null)])),
            });
        }
        for (var i = _random.Next(3); i > 0; i--)
        {
            steps.Add(Match());
        }
        if (nat is { } hook && _random.Next(2) == 0)
        {
            steps.Add(_ported);
            return Counted(table, [.. steps, hook == ChainHook.Prerouting ? NatOfDestination(sets) : NatOfSource(sets)]);
        }
        if (_random.Next(6) == 0)
        {
            var map = sets.Find(static set => set.Schema.Data is MapData.Verdicts)!;
            return table.Rule([_ported, .. steps, Counter, Key(map).VerdictMap(map)]);
        }
        var seen = sets.Find(static set => set.Schema.Name == "seen")!;
        var left = sets.Find(static set => set.Schema.Name == "left")!;
        return Counted(table, [.. steps, _random.Next(18) switch
        {
            0 => Accept,
            1 => _random.Next(3) == 0 ? Drop : Accept,
            2 => Return,
            3 or 4 or 5 => Jump(Pick(chains)),
            6 => Goto(Pick(chains)),
            7 => Meta.Mark.Set(Pick(1, 2, 3)),
            8 => Meta.Mark.Set(Meta.Mark.Or(Pick(0x10u, 0x20u))),
            9 => Ct.Mark.Set(Meta.Mark),
            10 => Add(seen, Ip.Source),
            11 => Update(seen, Ip.Source),
            12 => _random.Next(2) == 0 ? Add(left, Ip.Source) : Delete(left, Ip.Source),
            13 => Meta.Mark.Set(Ip.Source.Map(sets.Find(static set => set.Schema.Name == "clients")!)),
            14 => Meta.L4Protocol.VerdictMap((IpProtocol.Tcp, Verdict.Jump("leaf")), (IpProtocol.Udp, Pick(Verdict.Return, Verdict.Accept))),
            15 => Meta.Priority.Set(Pick(1, 2)),
            _ => Meta.Mark.Set(Number.Hash(Ip.Source, 3, seed: 7)),
        }]);
    }

    private static readonly Statement _ported = Meta.L4Protocol.In(IpProtocol.Tcp, IpProtocol.Udp);

    private Statement NatOfDestination(List<SetEntry> sets) => _random.Next(5) switch
    {
        0 => Dnat(IpFamily.V4, Ip.Destination.Map(sets.Find(static set => set.Schema.Name == "addresses")!)),
        1 => Dnat(IpFamily.V4, Th.DestinationPort.Map(sets.Find(static set => set.Schema.Name == "backends")!)),
        2 => Redirect(Pick(_ports)),
        3 => Dnat(Destination()),
        _ => Dnat(Destination(), Pick(_ports)),
    };

    private Statement NatOfSource(List<SetEntry> sets) => _random.Next(4) switch
    {
        0 => Masquerade(),
        1 => Masquerade(Linux.Nftables.Expressions.Steering.NatFlags.FullyRandom),
        2 => Snat(IpFamily.V4, Ip.Source.Map(sets.Find(static set => set.Schema.Name == "addresses")!)),
        _ => Snat(IpAddress.V4(203, 0, 113, (byte)_random.Next(1, 4))),
    };

    private Statement Match() => _random.Next(19) switch
    {
        0 => Ip.Source.Is(Source()),
        1 => Ip.Source.Is(new IpPrefix(Source(), _random.Next(28, 33))),
        2 => Ip.Destination.IsNot(new IpPrefix(Destination(), _random.Next(22, 33))),
        3 or 4 => Meta.InputIndex.IsNot(0),
        5 => Meta.L4Protocol.In(IpProtocol.Tcp, IpProtocol.Icmp),
        6 => Meta.Mark.Is(Pick(0, 1, 2, 0x11)),
        7 => Meta.Mark.And(0x30).Is(Pick(0, 0x10, 0x20)),
        8 => Ct.State.HasAny(Pick(ConntrackStates.New | ConntrackStates.Related, ConntrackStates.Invalid, ConntrackStates.Established)),
        9 => Ct.Mark.Is(Pick(0, 1, 2)),
        10 => Meta.InputName.Is(Pick(Value.Interface("c"), Value.InterfacesBeginning("c"), Value.Interface("s"))),
        11 => Meta.OutputName.Is(Value.Interface("s")),
        12 => Ip.Dscp.Is(Pick(0, 8, 16)),
        13 => Ip.TimeToLive.IsGreater(Pick(9, 63)),
        14 => Fib.DestinationType.Is(Pick(FibAddressType.Local, FibAddressType.Unicast)),
        15 => Meta.Priority.IsNot(Pick(0, 1)),
        16 => Ip.Source.NotIn(IpAddress.V4(10, 1, 0, 1), IpAddress.V4(10, 1, 0, (byte)_random.Next(2, 5))),
        17 => Ct.Status.HasAny(Pick(ConntrackStatuses.DestinationNat, ConntrackStatuses.SourceNat)),
        _ => Meta.Length.Is(Value.Range(50, 80)),
    };

    private static Statement In(SetEntry set) => Key(set).In(set);

    private static Selector Key(SetEntry set) => set.Schema.Name is "seen" or "left" ? Ip.Source : set.Schema.Key.Select(static field =>
        field.Type == DataType.Port ? (Selector)Th.DestinationPort : field.Type == DataType.IpProtocol ? Meta.L4Protocol : field.Type == DataType.Mark ? Meta.Mark : Ip.Destination)
        .Aggregate(static (left, right) => left + right);

    private List<SetEntry> Sets(TableBuilder table)
    {
        var plain = table.Set("plain", DataType.Ipv4Address, DataType.IpProtocol, DataType.Port);
        var ranges = table.Set("ranges", SetFlags.Interval, DataType.Ipv4Address);
        var marks = table.Set("marks", SetFlags.Interval, DataType.Mark);
        var wide = table.Set("wide", SetFlags.Interval, DataType.Ipv4Address, DataType.Port);
        var verdicts = table.VerdictMap("verdicts", [DataType.IpProtocol, DataType.Port]);
        var addresses = table.Map("addresses", [DataType.Ipv4Address], [DataType.Ipv4Address], SetFlags.Interval);
        var clients = table.Map("clients", [DataType.Ipv4Address], [DataType.Mark]);
        // Fewer than there are clients: it may be full. What packets take out of a set counts on until the kernel tidies up, so nothing is taken out of this one.
        var seen = table.Set("seen", SetFlags.Dynamic, DataType.Ipv4Address) with { Size = 2 };
        var left = table.Set("left", SetFlags.Dynamic, DataType.Ipv4Address) with { Size = 1000 };
        var backends = table.Map("backends", [DataType.Port], [DataType.Ipv4Address, DataType.Port]);
        _entries.AddRange([plain, ranges, marks, wide, verdicts, addresses, backends, clients, seen, left]);
        for (byte i = 1; i < 4; i++)
        {
            foreach (var port in _ports)
            {
                if (_random.Next(2) == 0)
                {
                    _entries.Add(plain.Element([Destination(i), Pick(IpProtocol.Tcp, IpProtocol.Udp), port]));
                }
            }
            _entries.Add(marks.Element([Value.Range(i * 8, (i * 8) + _random.Next(1, 7))]));
            _entries.Add(wide.Element([new IpPrefix(IpAddress.V4(10, 2, 0, (byte)(i * 4)), 30), Value.Range(50 * i, (50 * i) + 49)]));
            _entries.Add(backends.Element([_ports[i]], [Destination(), Pick(_ports)]));
        }
        _entries.Add(ranges.Element([Destination(2)]));
        _entries.Add(ranges.Element([Value.Range(Destination(1), IpAddress.V4(10, 2, 1, (byte)_random.Next(2, 5)))]));
        _entries.Add(wide.Element([new IpPrefix(IpAddress.V4(10, 2, 1, 0), 24), Value.Range(60, Pick(90, 500))]));
        _entries.Add(addresses.Element([new IpPrefix(IpAddress.V4(10, 2, 0, 0), 24)], [Destination()]));
        _entries.Add(addresses.Element([new IpPrefix(IpAddress.V4(10, 1, 0, 0), 30)], [IpAddress.V4(203, 0, 113, 9)]));
        _entries.Add(clients.Element([IpAddress.V4(10, 1, 0, 1)], [1]));
        _entries.Add(clients.Element([IpAddress.V4(10, 1, 0, 2)], [Pick(0x10, 0x20)]));
        foreach (var port in _ports)
        {
            _entries.Add(verdicts.Element([Pick(IpProtocol.Tcp, IpProtocol.Udp), port], Pick(Verdict.Accept, Verdict.Drop, Verdict.Jump("leaf"), Verdict.Goto("leaf"), Verdict.Return)));
        }
        return [plain, ranges, marks, wide, verdicts, addresses, backends, clients, seen, left];
    }

    private static IpAddress Destination(byte last) => IpAddress.V4(10, 2, (byte)(last % 2), last);
}
