using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Routing;

/// <summary>
/// <c>fib_lookup</c>: rules by priority; in each table the longest prefix, and shorter ones when no way of it will do; <c>throw</c> goes on to the
/// next rule.
/// </summary>
internal static class RouteLookup
{
    /// <summary>Where the answer is one of several ways, all of them.</summary>
    public static IReadOnlyList<RouteAnswer> Find(Space space, RouteQuestion asked)
    {
        foreach (var rule in space.Rules(asked.Destination.Family))
        {
            if (!Matches(rule, asked))
            {
                continue;
            }
            switch (rule.Action)
            {
                case RuleAction.ToTable:
                    if (InTable(space, rule.Table, asked) is { } found)
                    {
                        return found;
                    }
                    break;
                case RuleAction.Blackhole:
                    return [new RouteAnswer(rule, RouteType.Blackhole, null, 1)];
                case RuleAction.Unreachable:
                    return [new RouteAnswer(rule, RouteType.Unreachable, null, 1)];
                case RuleAction.Prohibit:
                    return [new RouteAnswer(rule, RouteType.Prohibit, null, 1)];
                default:
                    break;
            }
        }
        return [RouteAnswer.None];
    }

    private static bool Matches(RuleEntry rule, RouteQuestion asked)
    {
        // fib_rule_match; a packet that is sent here has come in by lo (LOOPBACK_IFINDEX).
        var matches = (rule.InputDevice is null || rule.InputDevice == (asked.In ?? "lo"))
            && (rule.OutputDevice is null || rule.OutputDevice == asked.Out)
            && (rule.Mark is not { } mark || (asked.Mark & mark.Mask) == (mark.Value & mark.Mask))
            && (rule.Source is not { } source || source.Contains(asked.Source))
            && (rule.Destination is not { } destination || destination.Contains(asked.Destination));
        return matches != rule.Not;
    }

    // RT6_LOOKUP_F_REACHABLE: a host of IPv6 that is no router goes by another route, however short, rather than to a router that has not answered; if there is none, to that one.
    private static List<RouteAnswer>? InTable(Space space, RouteTable table, RouteQuestion asked) =>
        (asked.Destination.Family == IpFamily.V6 && !space.IsOn("net/ipv6/conf/all/forwarding") ? InTable(space, table, asked, passesSilent: true) : null)
            ?? InTable(space, table, asked, passesSilent: false);

    private static List<RouteAnswer>? InTable(Space space, RouteTable table, RouteQuestion asked, bool passesSilent)
    {
        foreach (var route in space.Routes(asked.Destination.Family, table))
        {
            if (!route.Destination.Contains(asked.Destination) || (route.Tos != 0 && route.Tos != (asked.TrafficClass & 0x1c)))
            {
                continue;
            }
            switch (route.Type)
            {
                case RouteType.Throw:
                    return null;
                case RouteType.Blackhole or RouteType.Unreachable or RouteType.Prohibit:
                    return [new RouteAnswer(route, route.Type, null, 1)];
                default:
                    if (Ways(space, route, asked.Out, passesSilent) is { Count: > 0 } ways)
                    {
                        return ways;
                    }
                    break;
            }
        }
        return null;
    }

    private static List<RouteAnswer> Ways(Space space, RouteEntry route, string? only, bool passesSilent)
    {
        var ways = new List<RouteAnswer>(route.NextHops.Count);
        var total = 0.0;
        foreach (var hop in route.NextHops)
        {
            // RTNH_F_DEAD: the device is down.
            if (hop.Device is { } device && space.Link(device)?.Up != true && route.Type == RouteType.Unicast)
            {
                continue;
            }
            if (passesSilent && hop is { Device: { } by, Gateway: { } router } && space.Neighbour(by, router) is { State: var state } && (state & NeighbourState.Failed) != 0)
            {
                continue;
            }
            if (only is null || hop.Device == only)
            {
                // A router that is this host itself is none (nhc_scope is not RT_SCOPE_LINK): the destination is looked for on the link.
                var isOwn = hop.Gateway is { } gateway && space.Addresses.Any(own => own.Address.Address == gateway);
                ways.Add(new RouteAnswer(route, route.Type, isOwn ? hop with { Gateway = null } : hop, hop.Weight));
                total += hop.Weight;
            }
        }
        return ways.ConvertAll(way => way with { Probability = way.Probability / total });
    }
}
