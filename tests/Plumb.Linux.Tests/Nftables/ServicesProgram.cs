using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Linux.Tests.Nftables;

/// <summary>A whole Services program of constant size, as a layer would write it: what the rule language must be able to say.</summary>
internal static class ServicesProgram
{
    private static readonly Value[] _transports = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp];

    public static List<Desired> Build(NamespaceId space)
    {
        var table = TableBuilder.Plumb(space, TableFamily.Ip);
        var frontendKey = Ip.Destination + Meta.L4Protocol + Th.DestinationPort;
        var nodePortKey = Meta.L4Protocol + Th.DestinationPort;
        SetField[] frontendFields = [Ip.Destination, Meta.L4Protocol, Th.DestinationPort];
        SetField[] nodePortFields = [Meta.L4Protocol, Th.DestinationPort];

        var inside = table.Set("inside", SetFlags.Interval, DataType.Ipv4Address);
        var nodeAddresses = table.Set("node_addresses", DataType.Ipv4Address);
        var localPods = table.Set("local_pods", SetFlags.Interval, DataType.Ipv4Address);
        var nodePortAddresses = table.Set("nodeport_addresses", DataType.Ipv4Address);
        var serviceRange = table.Set("service_range", SetFlags.Interval, DataType.Ipv4Address);
        var ownAddresses = table.Set("own_addresses", DataType.Ipv4Address);
        var ownAnswers = table.Set("own_answers", DataType.Ipv4Address, DataType.IpProtocol, DataType.Port);
        var frontends = table.Map("frontends", frontendFields, [Ct.Mark]);
        var frontendsInside = table.Map("frontends_inside", frontendFields, [Ct.Mark]);
        var nodePorts = table.Map("nodeports", nodePortFields, [Ct.Mark]);
        var nodePortsInside = table.Map("nodeports_inside", nodePortFields, [Ct.Mark]);
        var guarded = table.Set("guarded", frontendFields);
        var guardedAllow = table.Set("guarded_allow", SetFlags.Interval, Ip.Destination, Meta.L4Protocol, Th.DestinationPort, Ip.Source);
        var pools = table.Map("pools", [Ct.Mark], [Meta.Priority]);
        var programs = table.VerdictMap("programs", [Meta.Priority]);
        var backends = table.Map("backends", [Ct.Mark, Number.Random(1)], [Ip.Destination, Th.DestinationPort]);
        var sticky = table.Map("sticky", [Ct.Mark, Ip.Source], [Meta.Priority], SetFlags.Dynamic | SetFlags.Timeout)
            with { Size = 65536, TimeoutMilliseconds = 3 * 3600 * 1000 };
        var stickySlots = table.Map("sticky_slots", [Ct.Mark, Number.Random(1)], [Meta.Priority]);
        var stickyBackends = table.Map("sticky_backends", [Ct.Mark, Meta.Priority], [Ip.Destination, Th.DestinationPort]);
        var keepSource = table.Set("keep_source", Ct.Mark);
        var hairpin = table.Set("hairpin", DataType.Ipv4Address, DataType.Ipv4Address);
        var raced = table.Counter("raced");

        var isTransport = Meta.L4Protocol.In(_transports);
        Rule Backend(uint count) => table.Rule(isTransport, Dnat(IpFamily.V4, (Ct.Mark + Number.Random(count)).Map(backends)));
        var toStickyBackend = table.Rule(isTransport, Dnat(IpFamily.V4, (Ct.Mark + Meta.Priority).Map(stickyBackends)));
        var renew = table.Rule(Update(sticky, Ct.Mark + Ip.Source, TimeSpan.FromHours(3), Meta.Priority));
        ChainEntry FanOut(uint count) => table.Chain($"fanout-{count}", Backend(count), table.Rule(Goto("raced")));
        ChainEntry Sticky(uint count) => table.Chain(
            $"sticky-{count}-10800",
            table.Rule(Meta.Priority.Set((Ct.Mark + Ip.Source).Map(sticky)), Jump("stick")),
            table.Rule(Delete(sticky, Ct.Mark + Ip.Source, Meta.Priority)),
            table.Rule(Meta.Priority.Set((Ct.Mark + Number.Random(count)).Map(stickySlots))),
            renew,
            table.Rule(Goto("stick-or-drop")));
        var reset = table.Rule(Meta.L4Protocol.Is(IpProtocol.Tcp), RejectWithTcpReset);

        Entry[] entries =
        [
            table.Table(), raced, inside, nodeAddresses, localPods, nodePortAddresses, serviceRange, ownAddresses, ownAnswers, frontends,
            frontendsInside, nodePorts, nodePortsInside, guarded, guardedAllow, pools, programs, backends, sticky, stickySlots,
            stickyBackends, keepSource, hairpin,

            table.Base("nat-prerouting", ChainType.Nat, ChainHook.Prerouting, ChainPriority.DestinationNat, table.Rule(isTransport, Goto("services"))),
            table.Base(
                "nat-output", ChainType.Nat, ChainHook.Output, ChainPriority.DestinationNat,
                table.Rule(frontendKey.In(ownAnswers), Accept),
                table.Rule(isTransport, Jump("seen-from-inside")),
                table.Rule(isTransport, Goto("services"))),
            table.Chain(
                "services",
                table.Rule(frontendKey.In(ownAnswers), Accept),
                table.Rule(frontendKey.In(guarded), Jump("guard")),
                table.Rule(Ip.Source.In(inside), Jump("seen-from-inside")),
                table.Rule(Ct.Mark.Set(frontendKey.Map(frontends)), Goto("pick")),
                table.Rule(Ip.Destination.In(nodePortAddresses), Ct.Mark.Set(nodePortKey.Map(nodePorts)), Goto("pick"))),
            table.Chain(
                "seen-from-inside",
                table.Rule(Ct.Mark.Set(frontendKey.Map(frontendsInside)), Goto("pick")),
                table.Rule(Ip.Destination.In(nodePortAddresses), Ct.Mark.Set(nodePortKey.Map(nodePortsInside)), Goto("pick"))),
            table.Chain("guard", table.Rule((frontendKey + Ip.Source).In(guardedAllow), Return), table.Rule(Drop)),
            table.Chain(
                "pick",
                table.Rule(Meta.Priority.Set(Ct.Mark.Map(pools)), Meta.Priority.VerdictMap(programs)),
                table.Rule(Goto("raced"))),
            FanOut(1), Sticky(1), FanOut(2), FanOut(3),
            table.Chain("raced", table.Rule(Use(raced)), Backend(1), table.Rule(Drop)),
            Sticky(2),
            table.Chain("stick", renew, toStickyBackend),
            table.Chain("stick-or-drop", toStickyBackend, table.Rule(Drop)),
            table.Base(
                "refuse-prerouting", ChainType.Filter, ChainHook.Prerouting, -90,
                table.Rule(Ip.Destination.In(serviceRange), Goto("refuse-service-range"))),
            table.Base(
                "refuse-output", ChainType.Filter, ChainHook.Output, -90,
                table.Rule(Ip.Destination.In(serviceRange), Goto("refuse-service-range"))),
            table.Chain("refuse-service-range", table.Rule(Ip.Destination.In(ownAddresses), Accept), reset, table.Rule(Reject)),
            table.Chain("refuse-tcp", reset, table.Rule(Reject)),
            table.Base(
                "forward", ChainType.Filter, ChainHook.Forward, ChainPriority.Filter,
                table.Rule(Ct.State.HasAny(ConntrackStates.Invalid), Drop)),
            table.Base(
                "nat-postrouting", ChainType.Nat, ChainHook.Postrouting, ChainPriority.SourceNat,
                table.Rule(Ct.Status.HasAny(ConntrackStatuses.DestinationNat), Goto("masquerade-services")),
                table.Rule(
                    Ip.Source.In(inside), Ip.Destination.NotIn(inside), Ip.Destination.NotIn(nodeAddresses), Masquerade(NatFlags.FullyRandom))),
            table.Chain(
                "masquerade-services",
                table.Rule((Ip.Source + Ip.Destination).In(hairpin), Masquerade(NatFlags.FullyRandom)),
                table.Rule(Ip.Source.In(localPods), Return),
                table.Rule(Ct.Mark.In(keepSource), Return),
                table.Rule(Ct.Mark.Is(0), Return),
                table.Rule(Masquerade(NatFlags.FullyRandom))),

            inside.Element([IpPrefix.Parse("10.244.0.0/16")]),
            serviceRange.Element([IpPrefix.Parse("10.96.0.0/12")]),
            .. Elements(),
        ];
        var desired = entries.Select(entry => new Desired(entry)).ToList();
        desired.Add(new Desired(
            ownAnswers.Element([IpAddress.V4(10, 96, 0, 10), IpProtocol.Udp, 53]), new Stamp("Service kube-system/kube-dns")));
        return desired;

        IEnumerable<Entry> Elements()
        {
            var dns = IpAddress.V4(10, 96, 0, 10);
            var web = IpAddress.V4(10, 96, 14, 7);
            var shop = IpAddress.V4(192, 168, 1, 201);
            var pod = IpAddress.V4(10, 244, 1, 3);
            yield return ownAddresses.Element([dns]);
            yield return nodeAddresses.Element([IpAddress.V4(192, 168, 1, 11)]);
            yield return nodeAddresses.Element([IpAddress.V4(192, 168, 1, 12)]);
            yield return ownAnswers.Element([dns, IpProtocol.Tcp, 53]);
            yield return programs.Element([Value.ClassId(0, 1)], Verdict.Goto("fanout-1"));
            yield return programs.Element([Value.ClassId(0, 3)], Verdict.Goto("fanout-3"));
            yield return programs.Element([Value.ClassId(1, 2)], Verdict.Goto("sticky-2-10800"));
            yield return programs.Element([Value.ClassId(15, 2)], Verdict.Drop);
            yield return pools.Element([1], [Value.ClassId(0, 3)]);
            yield return pools.Element([2], [Value.ClassId(1, 2)]);
            yield return frontends.Element([web, IpProtocol.Tcp, 80], [1]);
            yield return frontends.Element([web, IpProtocol.Udp, 80], [8]);
            yield return frontends.Element([shop, IpProtocol.Tcp, 80], [1]);
            yield return nodePorts.Element([IpProtocol.Tcp, 31100], [1]);
            yield return guarded.Element([shop, IpProtocol.Tcp, 80]);
            yield return guardedAllow.Element([shop, IpProtocol.Tcp, 80, IpPrefix.Parse("192.168.1.64/26")]);
            yield return guardedAllow.Element([shop, IpProtocol.Tcp, 80, IpAddress.V4(10, 244, 1, 2)]);
            yield return hairpin.Element([pod, pod]);
            yield return backends.Element([1, 0], [pod, 8080]);
            yield return backends.Element([1, 1], [IpAddress.V4(10, 244, 2, 2), 8080]);
            yield return stickySlots.Element([2, 0], [Value.ClassId(0, 0x65)]);
            yield return stickyBackends.Element([2, Value.ClassId(0, 0x65)], [pod, 8080]);
            yield return localPods.Element([IpPrefix.Parse("10.244.1.0/24")]);
        }
    }
}
