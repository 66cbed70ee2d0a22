using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Linux.Tests.Nftables;

/// <summary>
/// A ruleset that the kernel accepts, made of a seed. Names are few, so that two of them share some with other contents: going from
/// one to the other adds, changes and removes things of every kind.
/// </summary>
internal sealed class RandomRuleset(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<Desired> _desired = [];

    public IReadOnlyList<Desired> Build(NamespaceId space)
    {
        foreach (var family in (TableFamily[])[TableFamily.Ip, TableFamily.Ip6, TableFamily.Inet])
        {
            if (_random.Next(3) > 0)
            {
                Table(TableBuilder.Plumb(space, family));
            }
        }
        return _desired;
    }

    public DesiredState State(NamespaceId space)
    {
        var state = new DesiredState();
        foreach (var desired in Build(space))
        {
            state.Set(desired);
        }
        return state;
    }

    private void Table(TableBuilder table)
    {
        // A table's comment cannot be changed, so it does not vary.
        _desired.Add(new Desired(table.Table(), new Stamp("test")));
        var chains = Enumerable.Range(0, 5).Where(_ => _random.Next(3) > 0).Select(static i => $"chain-{i}").ToArray();
        // Where verdict maps point: a chain that looks in no map, so that there is no loop.
        Add(table.Chain("leaf", table.Rule(Counter, Return)));
        var objects = Objects(table);
        var sets = Sets(table);
        for (var i = 0; i < chains.Length; i++)
        {
            var rules = Rules(table, chains[(i + 1)..], sets, objects);
            Add(table.Chain(chains[i], rules));
        }
        if (_random.Next(2) == 0)
        {
            var hooked = table.Base("base", ChainType.Filter, (ChainHook)_random.Next(5), _random.Next(-5, 5), Rules(table, chains, sets, objects));
            Add(hooked with { Base = hooked.Base! with { Policy = _random.Next(2) == 0 ? VerdictCode.Drop : VerdictCode.Accept } });
        }
    }

    private void Add(Entry entry) =>
        _desired.Add(new Desired(entry, entry is not ChainEntry && _random.Next(3) == 0 ? new Stamp($"Pod default/p{_random.Next(5)}") : null));

    private List<ObjectEntry> Objects(TableBuilder table)
    {
        var objects = new List<ObjectEntry>();
        if (_random.Next(2) == 0)
        {
            objects.Add(table.Counter("counted"));
        }
        if (_random.Next(2) == 0)
        {
            objects.Add(ObjectEntry.Quota(table.Namespace, table.Id, "much", new QuotaExpression((ulong)_random.Next(1, 4) << 20, _random.Next(2) == 0)));
        }
        if (_random.Next(2) == 0)
        {
            objects.Add(table.Limit("slow", new LimitExpression((ulong)_random.Next(1, 50), 1, (uint)_random.Next(1, 9))));
        }
        objects.ForEach(Add);
        return objects;
    }

    private List<SetEntry> Sets(TableBuilder table)
    {
        var sets = new List<SetEntry>();
        for (var i = 0; i < 4; i++)
        {
            if (_random.Next(4) == 0)
            {
                continue;
            }
            var isInterval = _random.Next(3) == 0;
            var byTypeof = _random.Next(2) == 0;
            SetField[] key = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Field(table.Id.Family, byTypeof))];
            var flags = isInterval ? SetFlags.Interval : SetFlags.None;
            var set = _random.Next(3) switch
            {
                0 => table.Map($"set-{i}", key, [Field(table.Id.Family, byTypeof)], flags),
                1 => table.VerdictMap($"set-{i}", key, flags),
                _ => table.Set($"set-{i}", flags, key),
            };
            Add(set);
            sets.Add(set);
            Elements(set);
        }
        return sets;
    }

    // Elements differ in their first part, so that ranges do not meet.
    private void Elements(SetEntry set)
    {
        var count = _random.Next(9);
        for (var i = 0; i < count; i++)
        {
            var key = new Value[set.Schema.Key.Count];
            for (var part = 0; part < key.Length; part++)
            {
                key[part] = Value(set.Schema.Key[part], part == 0 ? i : _random.Next(6), set.Schema.IsInterval);
            }
            Add(set.Schema.Data switch
            {
                MapData.Verdicts => set.Element(key, _random.Next(2) == 0 ? Verdict.Drop : Verdict.Goto("leaf")),
                MapData.Fields fields => set.Element(key, [Value(fields.Items[0], _random.Next(20), isInterval: false)]),
                _ => set.Element(key),
            });
        }
    }

    private SetField Field(TableFamily family, bool byTypeof)
    {
        (SetField Type, SetField Typeof) field = _random.Next(5) switch
        {
            0 => (DataType.Port, Th.DestinationPort),
            1 => (DataType.IpProtocol, Meta.L4Protocol),
            2 => (DataType.Mark, Ct.Mark),
            3 when family == TableFamily.Ip6 => (DataType.Ipv6Address, Ip6.Source),
            3 => (DataType.Ipv4Address, Ip.Destination),
            _ => (DataType.ClassId, Meta.Priority),
        };
        return byTypeof ? field.Typeof : field.Type;
    }

    private Value Value(SetField field, int number, bool isInterval)
    {
        var isRange = isInterval && _random.Next(2) == 0;
        if (field.Type == DataType.Ipv4Address)
        {
            var address = IpAddress.V4(10, (byte)number, 0, 0);
            return isRange ? new IpPrefix(address, _random.Next(16, 32)) : address;
        }
        if (field.Type == DataType.Ipv6Address)
        {
            var address = IpAddress.Parse($"fd00:{number + 1:x}::");
            return isRange ? new IpPrefix(address, _random.Next(32, 128)) : address;
        }
        var first = (number * 10) + 1;
        return isRange ? Linux.Nftables.Language.Value.Range(first, first + _random.Next(1, 8)) : first;
    }

    private Rule[] Rules(TableBuilder table, string[] targets, List<SetEntry> sets, List<ObjectEntry> objects) =>
        [.. Enumerable.Range(0, _random.Next(5)).Select(_ => Rule(table, targets, sets, objects))];

    private Rule Rule(TableBuilder table, string[] targets, List<SetEntry> sets, List<ObjectEntry> objects)
    {
        var steps = new List<Statement>();
        // One of each group: a packet of two transports, or of two families, is none that nft accepts.
        if (_random.Next(2) == 0)
        {
            steps.Add(MatchTransport());
        }
        if (_random.Next(2) == 0)
        {
            steps.Add(MatchFacts());
        }
        if (sets.Count == 0 && _random.Next(2) == 0)
        {
            steps.Add(MatchAddress(table.Id.Family));
        }
        if (sets.Count > 0 && _random.Next(2) == 0)
        {
            steps.Add(Look(sets[_random.Next(sets.Count)]));
        }
        if (objects.Count > 0 && _random.Next(4) == 0)
        {
            steps.Add(Use(objects[_random.Next(objects.Count)]));
        }
        if (_random.Next(3) == 0)
        {
            steps.Add(Counter);
        }
        if (steps.Count == 0 || steps[^1] is not VerdictMapStatement)
        {
            steps.Add(_random.Next(5) switch
            {
                0 => Accept,
                1 => Drop,
                2 => Return,
                _ when targets.Length > 0 => _random.Next(2) == 0 ? Jump(targets[_random.Next(targets.Length)]) : Goto(targets[_random.Next(targets.Length)]),
                _ => Meta.Mark.Set(Meta.Mark.Or(1u << _random.Next(32))),
            });
        }
        return _random.Next(3) == 0 ? table.Rule(new Stamp($"Service default/s{_random.Next(9)}"), [.. steps]) : table.Rule([.. steps]);
    }

    private static Statement Look(SetEntry set)
    {
        var key = set.Schema.Key.Select(static field => field.Type switch
        {
            _ when field.Type == DataType.Port => (Selector)Th.DestinationPort,
            _ when field.Type == DataType.IpProtocol => Meta.L4Protocol,
            _ when field.Type == DataType.Mark => Ct.Mark,
            _ when field.Type == DataType.Ipv6Address => Ip6.Source,
            _ when field.Type == DataType.Ipv4Address => Ip.Destination,
            _ => Meta.Priority,
        }).Aggregate(static (left, right) => left + right);
        return set.Schema.Data switch
        {
            MapData.Verdicts => key.VerdictMap(set),
            MapData.Fields fields when fields.Items[0].Type == DataType.Mark => Ct.Mark.Set(key.Map(set)),
            MapData.Fields fields when fields.Items[0].Type == DataType.ClassId => Meta.Priority.Set(key.Map(set)),
            _ => key.In(set),
        };
    }

    private Statement MatchTransport() => _random.Next(4) switch
    {
        0 => Tcp.DestinationPort.Is(_random.Next(1, 65536)),
        1 => Tcp.DestinationPort.Is(Linux.Nftables.Language.Value.Range(1000, _random.Next(1001, 65536))),
        2 => Udp.SourcePort.In(53, 123, _random.Next(200, 300)),
        _ => Meta.L4Protocol.In(IpProtocol.Tcp, IpProtocol.Udp),
    };

    private Statement MatchFacts() => _random.Next(6) switch
    {
        0 => Ct.State.HasAny(ConntrackStates.New | ConntrackStates.Related),
        1 => Meta.Mark.And(0xff00).Is(0x100),
        2 => Meta.InputName.Is(Linux.Nftables.Language.Value.InterfacesBeginning("veth")),
        3 => Meta.OutputName.IsNot(Linux.Nftables.Language.Value.Interface($"eth{_random.Next(4)}")),
        4 => Fib.DestinationType.Is(FibAddressType.Local),
        _ => Number.Random((uint)_random.Next(2, 9)).Is(1),
    };

    private Statement MatchAddress(TableFamily family) => family == TableFamily.Ip6 || (family == TableFamily.Inet && _random.Next(2) == 0)
        ? Ip6.Destination.Is(IpPrefix.Parse($"fd00::/{_random.Next(8, 128)}"))
        : Ip.Source.Is(new IpPrefix(IpAddress.V4(10, 1, 2, 3), _random.Next(1, 33)));
}
