using Plumb.Linux.Addresses;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.State;

/// <summary>
/// Who an observed entry belongs to: one stated rule for each kind. Names and values never decide, only marks that a writer
/// must have set on purpose: a protocol number, a link's alias, a table's name.
/// </summary>
public static class Ownership
{
    /// <summary>What the alias of every link of Plumb's begins with.</summary>
    public const string AliasPrefix = "plumb:";

    /// <summary>By the alias: the kernel keeps it with the link, and <c>ip link</c> shows it.</summary>
    public static Owner OfLink(LinkEntry link, Stamp? alias)
    {
        ArgumentNullException.ThrowIfNull(link);
        if (link.Type is LinkType.Loopback)
        {
            return Owner.Kernel;
        }
        return IsPlumbs(alias?.Text) ? Owner.Plumb : Owner.Foreign;
    }

    /// <summary>Whether a link that has this alias is Plumb's.</summary>
    public static bool IsPlumbs(string? alias) => alias?.StartsWith(AliasPrefix, StringComparison.Ordinal) == true;

    /// <summary>By IFA_PROTO; on kernels before 5.18, which keep none, by the link's owner.</summary>
    public static Owner OfAddress(AddressEntry address, Owner linkOwner)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.Protocol == RouteProtocol.Plumb)
        {
            return Owner.Plumb;
        }
        if (linkOwner == Owner.Kernel && address.Address.Address.IsLoopback)
        {
            return Owner.Kernel;
        }
        // IFAPROT_KERNEL_LO 1, _RA 2, _LL 3: the kernel's own number where it has it, else what only the kernel makes.
        if (address.Protocol is { Number: 1 or 2 or 3 } || (address.Address.Family == IpFamily.V6 && address.Address.Address.IsLinkLocal))
        {
            return Owner.Kernel;
        }
        return address.Protocol is null && linkOwner == Owner.Plumb ? Owner.Plumb : Owner.Foreign;
    }

    /// <summary>By rtm_protocol; the local table and cached or advertised routes are the kernel's whatever they say.</summary>
    public static Owner OfRoute(RouteEntry route)
    {
        ArgumentNullException.ThrowIfNull(route);
        return ByProtocol(route.Protocol, otherwise: route.Table == RouteTable.Local ? Owner.Kernel : Owner.Foreign);
    }

    /// <summary>By FRA_PROTOCOL.</summary>
    public static Owner OfRule(RuleEntry rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return ByProtocol(rule.Protocol, Owner.Foreign);
    }

    /// <summary>By NDA_PROTOCOL; what is neither permanent nor a proxy's was resolved by the kernel itself.</summary>
    public static Owner OfNeighbour(NeighbourEntry neighbour)
    {
        ArgumentNullException.ThrowIfNull(neighbour);
        var lasting = neighbour.Proxy || neighbour.State.HasFlag(NeighbourState.Permanent);
        return ByProtocol(neighbour.Protocol, otherwise: lasting ? Owner.Foreign : Owner.Kernel);
    }

    /// <summary>
    /// A bridge keeps no protocol number, so by the device that the entry hangs on: fixed stations and remotes on a link of
    /// Plumb's are Plumb's; a port's own address and what was learned are the kernel's.
    /// </summary>
    public static Owner OfFdb(FdbEntry entry, Owner linkOwner)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Protocol == RouteProtocol.Plumb)
        {
            return Owner.Plumb;
        }
        var isFixed = entry.Remote is not null || entry.State.HasFlag(NeighbourState.NoArp);
        var isOwnAddress = entry.Remote is null && entry.State.HasFlag(NeighbourState.Permanent);
        if (isOwnAddress || entry.Mac.IsMulticast)
        {
            return Owner.Kernel;
        }
        return linkOwner == Owner.Plumb && isFixed ? Owner.Plumb : isFixed ? Owner.Foreign : Owner.Kernel;
    }

    /// <summary>By the cookie of its actions.</summary>
    public static Owner OfFilter(FilterEntry filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        foreach (var rule in filter.Rules ?? [])
        {
            foreach (var action in rule.Actions)
            {
                if (action.Cookie == ActionCookie.Plumb)
                {
                    return Owner.Plumb;
                }
            }
        }
        return Owner.Foreign;
    }

    /// <summary>
    /// By the number that its maker gave it. One for filters cannot have another than all have, so by what it holds: one that holds Plumb's and nobody else's is Plumb's. An empty
    /// one may have been made by somebody who is about to fill it.
    /// </summary>
    public static Owner OfQdisc(QdiscEntry qdisc, TrafficHandle handle, IReadOnlyCollection<FilterEntry> filters)
    {
        ArgumentNullException.ThrowIfNull(qdisc);
        ArgumentNullException.ThrowIfNull(filters);
        return handle == TrafficHandle.Plumb || (qdisc.Discipline == QdiscEntry.Clsact && filters.Count != 0 && filters.All(static filter => OfFilter(filter) == Owner.Plumb)) ? Owner.Plumb : Owner.Foreign;
    }

    private static Owner ByProtocol(RouteProtocol protocol, Owner otherwise)
    {
        if (protocol == RouteProtocol.Plumb)
        {
            return Owner.Plumb;
        }
        return protocol == RouteProtocol.Kernel || protocol == RouteProtocol.RouterAdvertisement || protocol == RouteProtocol.Redirect
            ? Owner.Kernel
            : otherwise;
    }
}
