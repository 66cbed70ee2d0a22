using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Network.Exposure;

/// <summary>The layer's part of table <c>plumb</c> of one family.</summary>
internal sealed class HostPortsProgram
{
    private const string ToPort = "to-hostport";

    private static readonly IpPrefix _loopback = IpPrefix.Parse("127.0.0.0/8");

    private readonly HeaderField _source;
    private readonly HeaderField _destination;
    private readonly IpFamily _family;
    private readonly NodeFacts _node;

    public HostPortsProgram(NodeFacts node, IpFamily family)
    {
        (_node, _family) = (node, family);
        (_source, _destination) = family == IpFamily.V4 ? (Ip.Source, Ip.Destination) : (Ip6.Source, Ip6.Destination);
        SetField[] backend = [_destination, Th.DestinationPort];
        Table = AddressSets.Table(node.Namespace, family);
        Ports = Table.Map("hostports", [Meta.L4Protocol, Th.DestinationPort], backend);
        PortsAt = Table.Map("hostports_at", [_destination, Meta.L4Protocol, Th.DestinationPort], backend);
        Hairpin = Table.Set("hostports_hairpin", DataType.Address(family), DataType.Address(family));
    }

    public TableBuilder Table { get; }

    /// <summary>Open at all of the node's addresses.</summary>
    public SetEntry Ports { get; }

    /// <summary>Open at one of them.</summary>
    public SetEntry PortsAt { get; }

    /// <summary>Pods with such ports, each with itself: one that reaches itself through its node would answer itself without the way back.</summary>
    public SetEntry Hairpin { get; }

    public IEnumerable<Entry> Entries()
    {
        yield return Ports;
        yield return PortsAt;
        yield return Hairpin;
        yield return Table.Chain(ToPort, Translations());
        yield return Hooked(Stages.HostPortsIn, Table.Rule(Fib.DestinationType.Is(FibAddressType.Local), Goto(ToPort)));
        yield return Hooked(Stages.HostPortsOut, Table.Rule(Fib.DestinationType.Is(FibAddressType.Local), Goto(ToPort)));
        yield return Hooked(Stages.HostPortsBack, Backward());
        if (_family == IpFamily.V4)
        {
            yield return Hooked(Stages.GuardLoopback, Table.Rule(Meta.InputName.IsNot(Value.Interface(Devices.Loopback)), _destination.Is(_loopback), Drop),
                Table.Rule(Meta.InputName.IsNot(Value.Interface(Devices.Loopback)), _source.Is(_loopback), Drop));
        }
    }

    private Rule[] Translations()
    {
        var rules = new List<Rule>();
        foreach (var services in _node.Options.ServiceRanges)
        {
            if (services.Family == _family)
            {
                // A Service that the node itself serves (DNS) is at one of its addresses, too.
                rules.Add(Table.Rule(_destination.Is(services.Network), Return));
            }
        }
        var isTransport = Meta.L4Protocol.In(IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp);
        rules.Add(Table.Rule(isTransport, Dnat(_family, (_destination + Meta.L4Protocol + Th.DestinationPort).Map(PortsAt))));
        rules.Add(Table.Rule(isTransport, Dnat(_family, (Meta.L4Protocol + Th.DestinationPort).Map(Ports))));
        return [.. rules];
    }

    // Whoever has a mark goes to a Service. All others keep their addresses: the pod's answers pass this node by themselves.
    private Rule[] Backward()
    {
        var isOurs = Ct.Status.HasAny(ConntrackStatuses.DestinationNat);
        var toItself = Table.Rule(isOurs, Ct.Mark.Is(0), (_source + _destination).In(Hairpin), Statements.Masquerade(NatFlags.FullyRandom));
        return _family == IpFamily.V4 ? [toItself, Table.Rule(isOurs, Ct.Mark.Is(0), _source.Is(_loopback), Statements.Masquerade(NatFlags.FullyRandom))] : [toItself];
    }

    private ChainEntry Hooked(Stage stage, params ReadOnlySpan<Rule> rules) => stage.In(Table.Namespace, Table.Id, rules);
}
