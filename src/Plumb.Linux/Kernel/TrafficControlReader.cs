using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.Kernel;

/// <summary>Reads queueing disciplines and filters.</summary>
internal static class TrafficControlReader
{
    /// <summary>All of a namespace, in one dump; none where the kernel has no traffic control.</summary>
    public static IReadOnlyList<TrafficMessage> Qdiscs(KernelNamespace kernel)
    {
        using var request = new NetlinkWriter(64);
        TrafficMessage.EmitQdiscDump(request);
        try
        {
            return kernel.Route.Dump(request, static message => TrafficMessage.Parse(message.Payload));
        }
        catch (NetlinkException refused) when (refused.Errno == Errno.EOPNOTSUPP)
        {
            return [];
        }
    }

    /// <summary>What a qdisc for filters holds; nothing of another.</summary>
    /// <param name="nameOf">The device with an ifindex.</param>
    public static List<(FilterEntry Entry, TrafficCount? Counted)> Filters(KernelNamespace kernel, QdiscEntry qdisc, int index, Func<int, string?> nameOf)
    {
        var found = new List<(FilterEntry, TrafficCount?)>();
        foreach (var (hook, parent) in TrafficControlConversion.Places(qdisc))
        {
            using var request = new NetlinkWriter(64);
            TrafficMessage.EmitFilterDump(request, index, parent);
            var messages = kernel.Route.Dump(request, static message => TrafficMessage.Parse(message.Payload));
            foreach (var one in messages.GroupBy(static message => (message.Chain, message.Preference)))
            {
                found.Add(TrafficControlConversion.ToEntry(qdisc, hook, [.. one], nameOf));
            }
        }
        return found;
    }

    /// <summary>Whether somebody else's filters would go with a qdisc.</summary>
    public static bool HoldsForeign(KernelNamespace kernel, QdiscEntry qdisc, int index) =>
        Filters(kernel, qdisc, index, static _ => "").Exists(static filter => Ownership.OfFilter(filter.Entry) != Owner.Plumb);
}
