using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Observe;

/// <summary>One way, there or back: each predicted hop takes the first sighting that it explains; what is left over was not predicted.</summary>
internal sealed class LegMatch
{
    private readonly Leg _leg;
    private readonly IReadOnlyList<Hop> _predicted;
    private readonly Hop? _killer;
    private readonly IWorld _world;
    private readonly List<Sighting> _sightings;
    private readonly List<RuleSighting> _rules;
    private readonly List<RouteSighting> _routes;
    private readonly HashSet<Sighting> _taken = new(ReferenceEqualityComparer.Instance);
    private readonly List<ComparedHop> _hops = [];

    public LegMatch(Leg leg, IReadOnlyList<Hop> predicted, Hop? killer, Observation observed, IWorld world)
    {
        (_leg, _predicted, _killer, _world) = (leg, predicted, killer, world);
        _sightings = [.. observed.Sightings.Where(one => one.Leg == leg && !observed.IsRepetition(one.Nanoseconds))];
        _rules = [.. observed.Rules.Where(one => one.Leg == leg)];
        _routes = [.. observed.Routes.Where(one => one.Leg == leg && !one.IsCheck && one.Answer.Error == 0 && !observed.IsRepetition(one.Nanoseconds))];
        for (var i = 0; i < predicted.Count; i++)
        {
            _hops.Add(Compare(predicted[i]));
        }
        // Nobody answers a datagram for politeness: silence of a program is no difference.
        if (leg == Leg.Back && observed.End.Answer == ProbeAnswer.Silence && _sightings.Count == 0 && predicted is [{ Before.Protocol: Packet.Udp }, ..])
        {
            _hops = _hops.ConvertAll(static hop => hop with { IsSeen = null, Difference = null });
        }
        Strays = [.. StrayFrames(), .. StrayVerdicts()];
        Differences = [.. _hops.Where(static hop => hop.Difference is not null).Select(static hop => $"{hop.Hop.Space}: {hop.Hop.What}: {hop.Difference}"), .. Strays.Select(static stray => $"{stray.Space}: {stray.What}: seen, not predicted")];
    }

    public IReadOnlyList<ComparedHop> Hops => _hops;

    public IReadOnlyList<Stray> Strays { get; }

    public IReadOnlyList<string> Differences { get; }

    private ComparedHop Compare(Hop hop)
    {
        if (hop.Handle != 0)
        {
            return CompareRule(hop);
        }
        if (hop is { Entry.Kind: EntryKind.Route, Stage: Stage.Send or Stage.Output or Stage.Route })
        {
            return CompareRoute(hop);
        }
        if (Expected(hop) is not ({ } device, var isOutgoing, var isSure))
        {
            return new ComparedHop(hop, null, null, null);
        }
        // What goes into a tunnel shows itself there as it was before.
        var shown = IsTunnel(hop.After) && !IsTunnel(hop.Before) ? hop.Before : hop.After;
        foreach (var one in _sightings)
        {
            if (!_taken.Contains(one) && one.Space == hop.Space && one.Device == device && one.IsOutgoing == isOutgoing && IsTunnel(shown) == (one.Tunnel is not null))
            {
                _taken.Add(one);
                return new ComparedHop(hop, true, one.Nanoseconds, Otherwise(shown, one.Tunnel ?? one.Packet));
            }
        }
        return isSure ? new ComparedHop(hop, false, null, "predicted, not seen") : new ComparedHop(hop, null, null, null);
    }

    // What the kernel asked, if anybody was there to see; it asks less often than one thinks, since sockets and their peers remember.
    private ComparedHop CompareRoute(Hop hop)
    {
        var at = _routes.FindIndex(one => one.Space == hop.Space && one.Answer.Destination == hop.After.Destination && one.Device == hop.Device);
        if (at < 0)
        {
            return new ComparedHop(hop, null, null, null);
        }
        var seen = _routes[at];
        _routes.RemoveAt(at);
        return new ComparedHop(hop, true, seen.Nanoseconds, null);
    }

    private ComparedHop CompareRule(Hop hop)
    {
        var at = _rules.FindIndex(one => IsOf(hop, one));
        // Translation of what follows a connection's first packet is no rule's doing any more; outer packets of answers bear no sign.
        return at >= 0 ? new ComparedHop(hop, true, null, null)
            : IsTunnel(hop.After) || IsUntraced(hop) || hop.What is "undone for the way back" or "as the connection began" ? new ComparedHop(hop, null, null, null)
            : new ComparedHop(hop, false, null, "predicted, not seen");
    }

    private static bool IsOf(Hop hop, RuleSighting seen)
    {
        if (hop.Space != seen.Space || seen.Event.Handle == 0 || hop.Entry is not { } entry)
        {
            return false;
        }
        if (!IptablesKernel.Handles(entry.Kind))
        {
            // Handles are numbers within a table.
            return hop.Handle == seen.Event.Handle && entry.Name.StartsWith($"{seen.Event.Table} ", StringComparison.Ordinal);
        }
        // iptables numbers the rules of a chain; its nft variant keeps chains under their names.
        var chain = $"{seen.Event.Table} {seen.Event.Chain}";
        return (entry.Name == chain || entry.Name.StartsWith($"{chain} ", StringComparison.Ordinal))
            && (hop.What.Split(' ') is not ["jump" or "goto", var to, ..] || seen.Event.Verdict.Chain == to);
    }

    // Of the older variant's rules nothing is told.
    private bool IsUntraced(Hop hop) =>
        hop.Entry is { } entry && IptablesKernel.Handles(entry.Kind) && !_rules.Exists(one => one.Space == hop.Space && IptablesTable.IsIn(one.Event.Table));

    /// <summary>Where a hop shows itself: the device, and whether out of it; whether it must.</summary>
    private (string? Device, bool IsOutgoing, bool IsSure) Expected(Hop hop)
    {
        if (hop.Before is { IsTunnel: true, Inner.NetworkId: null } || hop.After is { IsTunnel: true, Inner.NetworkId: null })
        {
            // Of tunnels, sightings know VXLAN alone.
            return (null, false, false);
        }
        var isSure = hop != _killer;
        var link = hop.Device is { } name ? _world.Find(hop.Space)?.Link(name) : null;
        return hop.Stage switch
        {
            // A filter on the device: the frame is seen at the device itself.
            _ when hop.Entry?.Kind is EntryKind.Filter or EntryKind.Qdisc => (null, false, false),
            Stage.Transmit when link is not null => (link.Name, true, isSure),
            // In by a port, up to the host; or out of the host, towards a port.
            Stage.Bridge when link is not null && hop.What.StartsWith($"{link.Name} →", StringComparison.Ordinal) => (link.Name, false, isSure),
            Stage.Bridge when link?.Master is { } master && hop.What.StartsWith($"{master} →", StringComparison.Ordinal) => (master, true, isSure),
            Stage.Deliver when link?.Type is LinkType.Vxlan && IsTunnel(hop.Before) => (link.Name, false, isSure),
            _ => (null, false, false),
        };
    }

    /// <summary>Sender's ports are the kernel's choice, wherever it masquerades.</summary>
    private string? Otherwise(Packet predicted, in PacketHeaders seen)
    {
        var (port, seenPort) = _leg == Leg.There || IsTunnel(predicted) ? (predicted.DestinationPort, seen.DestinationPort) : (predicted.SourcePort, seen.SourcePort);
        if (predicted.Source == seen.Source && predicted.Destination == seen.Destination && (port == seenPort || seen.Protocol is not (PacketHeaders.Tcp or PacketHeaders.Udp)))
        {
            return null;
        }
        return $"predicted {predicted.Source} → {CaptureEnd(predicted.Destination, predicted.DestinationPort)}, seen {seen.Source} → {CaptureEnd(seen.Destination, seen.DestinationPort)}";
    }

    private static string CaptureEnd(IpAddress address, ushort port) => Capture.CaptureSession.End(address, port);

    private static bool IsTunnel(Packet packet) => packet.Inner is { NetworkId: not null };

    private IEnumerable<Stray> StrayFrames()
    {
        var allowed = Allowed();
        var copied = Copied();
        var told = new HashSet<(NamespaceId, string, bool)>();
        foreach (var one in _sightings)
        {
            var isCopy = _world.Find(one.Space)?.Link(one.Device)?.Type is LinkType.Vxlan tunnel && copied.Contains(tunnel.Vni);
            if (!_taken.Contains(one) && !isCopy && !allowed.Contains((one.Space, one.Device)) && told.Add((one.Space, one.Device, one.IsOutgoing)))
            {
                var packet = one.Packet;
                var what = $"{(one.IsOutgoing ? "out of" : "in by")} {one.Device}: {packet.Source} → {CaptureEnd(packet.Destination, packet.DestinationPort)}";
                yield return new Stray(_leg, _hops.FindLastIndex(hop => hop.Nanoseconds <= one.Nanoseconds), one.Space, one.Device, one.Nanoseconds, what);
            }
        }
    }

    /// <summary>Tunnels into which filters on the way send copies: those are seen there, and at the other end.</summary>
    private HashSet<int> Copied()
    {
        var tunnels = new HashSet<int>();
        foreach (var hop in _predicted)
        {
            if (hop.Entry is not { Kind: EntryKind.Filter } key || _world.Find(hop.Space) is not { } space || space.State.Entries.GetValueOrDefault(key)?.Entry is not FilterEntry filter)
            {
                continue;
            }
            foreach (var action in (filter.Rules ?? []).SelectMany(static rule => rule.Actions).OfType<FilterAction.Mirred>())
            {
                if (space.Link(action.Device)?.Type is LinkType.Vxlan tunnel)
                {
                    tunnels.Add(tunnel.Vni);
                }
            }
        }
        return tunnels;
    }

    private IEnumerable<Stray> StrayVerdicts()
    {
        foreach (var one in _rules)
        {
            // A policy, and a rule of iptables, has no handle in the prediction.
            var isKnown = _predicted.Any(hop => IsOf(hop, one) || (hop == _killer && hop.Handle == 0 && hop.Space == one.Space));
            if (one.Event.Verdict.Code is VerdictCode.Drop or VerdictCode.Queue && !isKnown)
            {
                var what = $"{(one.Event.Handle == 0 ? "the policy" : $"a rule (handle {one.Event.Handle})")} of {one.Event.Table} {one.Event.Chain}: {one.Event.Verdict}";
                yield return new Stray(_leg, _hops.FindLastIndex(hop => hop.Hop.Space == one.Space && hop.IsSeen == true), one.Space, null, null, what);
            }
        }
    }

    /// <summary>Devices on the predicted way: the port's bridge and the cable's other end with it, and all ports where a bridge floods.</summary>
    private HashSet<(NamespaceId, string)> Allowed()
    {
        var allowed = new HashSet<(NamespaceId, string)>();
        foreach (var hop in _predicted)
        {
            if (_world.Find(hop.Space) is not { } space)
            {
                continue;
            }
            allowed.Add((hop.Space, "lo"));
            if (hop.Stage is Stage.Transmit or Stage.Bridge or Stage.Receive or Stage.Deliver && hop.Device is { } device)
            {
                Add(space, device, withPeer: hop != _killer);
                if (hop.What.EndsWith("(flooded)", StringComparison.Ordinal) && space.Link(device)?.Master is { } bridge)
                {
                    foreach (var port in space.PortsOf(bridge))
                    {
                        Add(space, port.Name, withPeer: true);
                    }
                }
            }
        }
        return allowed;

        void Add(Space space, string device, bool withPeer)
        {
            allowed.Add((space.Id, device));
            if (space.Link(device) is not { } link)
            {
                return;
            }
            if (link.Master is { Length: > 0 } master)
            {
                allowed.Add((space.Id, master));
            }
            if (withPeer && link.Type is LinkType.Veth { PeerNamespace: { } there, PeerName: { } name } && _world.Find(there) is { } peer)
            {
                Add(peer, name, withPeer: false);
            }
            if (withPeer && link.Type is LinkType.Stacked { LowerNamespace: { } under, LowerName: { } lower } && _world.Find(under) is { } below)
            {
                Add(below, lower, withPeer: false);
            }
        }
    }
}
