using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Routing;

/// <summary>Whether a host believes in the source of an IPv4 packet that came in (<c>fib_validate_source</c>, RFC 3704).</summary>
internal static class SourceCheck
{
    /// <summary>Why not, in a few words, and the entry that says so; null: it does.</summary>
    public static (string Reason, Entry? Entry)? Objection(Space space, IpAddress source, IpAddress destination, string device, uint mark)
    {
        var filter = space.OfDevice(IpFamily.V4, device, "rp_filter");
        var acceptLocal = space.OfDevice(IpFamily.V4, device, "accept_local") != 0;
        var hasOwnRules = space.Rules(IpFamily.V4).Any(static rule => rule.Priority is not (0 or 32766 or 32767));
        if (filter == 0 && !hasOwnRules)
        {
            var own = space.Addresses.FirstOrDefault(address => address.Address.Address == source);
            return own is not null && !acceptLocal ? ($"its source {source} is an address of this host", own) : null;
        }
        // fl4.daddr = src, saddr = dst; it "comes in" by lo.
        var back = RouteLookup.Find(space, new RouteQuestion(destination, source, UsesMark(space, device) ? mark : 0, 0, null, null));
        var first = back[0];
        if (first.Decider is null || first.Type is RouteType.Blackhole or RouteType.Unreachable or RouteType.Prohibit)
        {
            return filter == 0 ? null : ($"no route leads back to its source {source}, and rp_filter is {filter}", Parameter(space, device));
        }
        if (first.Type != RouteType.Unicast && !(first.Type == RouteType.Local && acceptLocal))
        {
            return ($"its source {source} is an address of this host", first.Decider);
        }
        if (back.Any(way => way.Hop?.Device == device))
        {
            return null;
        }
        var hasAddress = space.Addresses.Any(address => address.Device == device && address.Address.Family == IpFamily.V4);
        return filter == 1 ? ($"the way back to its source {source} is not {device}, where it came in, and rp_filter is 1", Parameter(space, device))
            : filter != 0 && !hasAddress ? ($"{device} has no address, and the way back to {source} is another", Parameter(space, device))
            : null;
    }

    private static bool UsesMark(Space space, string device) => space.OfDevice(IpFamily.V4, device, "src_valid_mark") != 0;

    private static SysctlEntry Parameter(Space space, string device)
    {
        var own = $"net/ipv4/conf/{device}/rp_filter";
        var all = "net/ipv4/conf/all/rp_filter";
        var path = space.OfDeviceAlone(IpFamily.V4, device, "rp_filter") != 0 ? own : all;
        return new SysctlEntry(space.Id, path, space.Parameter(path) ?? "");
    }
}
