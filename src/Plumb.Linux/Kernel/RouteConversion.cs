using Plumb.Linux.Addresses;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>Between addresses, routes and rules as entries and as messages.</summary>
internal static class RouteConversion
{
    // IFA_PROTO came with Linux 5.18; since then an address without one has number 0.
    private static readonly RouteProtocol? NoAddressProtocol =
        Environment.OSVersion.Version >= new Version(5, 18) ? RouteProtocol.Unspecified : null;

    public static AddressEntry? ToEntry(NamespaceId id, AddressMessage message, LinkTable links)
    {
        if (message.Own is not { } own || links.NameOf(message.Index) is not { } device || message.PrefixLength > own.BitLength)
        {
            return null;
        }
        return new AddressEntry(id, device, new IpPrefix(own, message.PrefixLength))
        {
            Scope = message.Scope,
            NoDuplicateDetection = (message.Flags & AddressMessage.IFA_F_NODAD) != 0,
            NoPrefixRoute = (message.Flags & AddressMessage.IFA_F_NOPREFIXROUTE) != 0,
            Protocol = message.Protocol ?? NoAddressProtocol,
        };
    }

    public static AddressMessage ToMessage(AddressEntry entry, int index) => new()
    {
        Family = entry.Address.Family,
        PrefixLength = entry.Address.Length,
        Scope = entry.Scope ?? RouteScope.Universe,
        Index = index,
        Local = entry.Address.Address,
        Address = entry.Address.Address,
        Flags = (entry.NoDuplicateDetection == true ? AddressMessage.IFA_F_NODAD : 0)
            | (entry.NoPrefixRoute == true ? AddressMessage.IFA_F_NOPREFIXROUTE : 0),
        Protocol = entry.Protocol,
    };

    /// <summary>Null for what is no route of a table: cached ones, and those of other families.</summary>
    public static RouteEntry? ToEntry(NamespaceId id, RouteMessage message, LinkTable links)
    {
        if ((message.Flags & RouteMessage.RTM_F_CLONED) != 0 || message.Destination == default)
        {
            return null;
        }
        return new RouteEntry(id, message.Destination)
        {
            Table = message.Table,
            Type = message.Type,
            Metric = message.Priority ?? 0,
            Tos = message.Tos,
            Protocol = message.Protocol,
            Scope = message.Scope,
            PreferredSource = message.PreferredSource,
            MtuBytes = (int?)message.MtuBytes,
            // IPv6 gives lo as the device of what goes nowhere.
            NextHops = message.Type is RouteType.Blackhole or RouteType.Unreachable or RouteType.Prohibit or RouteType.Throw
                ? []
                : ToHops(message.Hops, links),
        };
    }

    /// <param name="indexOf">ifindex of each device that the route names.</param>
    public static RouteMessage ToMessage(RouteEntry entry, Func<string, int> indexOf)
    {
        var hops = new RouteHop[entry.NextHops.Count];
        for (var i = 0; i < hops.Length; i++)
        {
            var hop = entry.NextHops[i];
            hops[i] = new RouteHop(hop.Device is { } device ? indexOf(device) : 0, hop.Gateway, hop.Weight, hop.OnLink ? RouteHop.RTNH_F_ONLINK : 0);
        }
        return new RouteMessage
        {
            Family = entry.Destination.Family,
            Destination = entry.Destination,
            Tos = entry.Tos,
            Table = entry.Table,
            Protocol = entry.Protocol,
            Scope = entry.Scope,
            Type = entry.Type,
            Priority = entry.Metric == 0 ? null : entry.Metric,
            PreferredSource = entry.PreferredSource,
            MtuBytes = (uint?)entry.MtuBytes,
            Hops = [.. hops],
        };
    }

    public static RuleEntry ToEntry(NamespaceId id, RuleMessage message) => new(id, message.Family, message.Priority)
    {
        Source = message.Source,
        Destination = message.Destination,
        Mark = message.Mark,
        InputDevice = message.InputDevice,
        OutputDevice = message.OutputDevice,
        Not = (message.Flags & RuleMessage.FIB_RULE_INVERT) != 0,
        Action = message.Action,
        Table = message.Action == RuleAction.ToTable ? message.Table : RouteTable.Main,
        Protocol = message.Protocol ?? RouteProtocol.Unspecified,
    };

    public static RuleMessage ToMessage(RuleEntry entry) => new()
    {
        Family = entry.Family,
        Priority = entry.Priority,
        Source = entry.Source,
        Destination = entry.Destination,
        Mark = entry.Mark,
        InputDevice = entry.InputDevice,
        OutputDevice = entry.OutputDevice,
        Flags = entry.Not ? RuleMessage.FIB_RULE_INVERT : 0,
        Action = entry.Action,
        Table = entry.Action == RuleAction.ToTable ? entry.Table : default,
        Protocol = entry.Protocol,
    };

    private static ValueList<NextHop> ToHops(ValueList<RouteHop> hops, LinkTable links)
    {
        var result = new NextHop[hops.Count];
        for (var i = 0; i < result.Length; i++)
        {
            var hop = hops[i];
            result[i] = new NextHop(links.NameOf(hop.Index), hop.Gateway) { Weight = hop.Weight, OnLink = (hop.Flags & RouteHop.RTNH_F_ONLINK) != 0 };
        }
        return [.. result];
    }
}
