using Plumb.Diagnosis.Rules;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.NearMisses;

/// <summary>
/// A flow that goes where nobody is any more because a kernel remembers it from before, while its rules would lead a new one well: known by walking it once more
/// with that one entry forgotten.
/// </summary>
public static class StaleConnection
{
    /// <summary>Null: no connection from before is to blame.</summary>
    /// <param name="outcome">Of the walk of <paramref name="trace"/>.</param>
    /// <param name="title">What a namespace is called.</param>
    public static string? Of(IWorld world, Trace trace, Outcome outcome, Func<NamespaceId, string> title)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(title);
        if (outcome.Verdict is Verdict.Delivered or Verdict.Undecided)
        {
            return null;
        }
        foreach (var hop in outcome.There)
        {
            if (hop.Connection is { } entry && Forgotten(world, trace, hop.Space, entry) is { } better)
            {
                var where = EndpointText.Of(entry.Reply.Source, entry.Reply.SourcePort);
                return $"{title(hop.Space)} remembers this flow from before and goes on sending it to {where}; a new one would be delivered to "
                    + $"{title(better.End)} ({EndpointText.Of(better.Final.Destination, better.Final.DestinationPort)}). On {title(hop.Space)}: {Command(entry)}";
            }
        }
        return null;
    }

    private static Outcome? Forgotten(IWorld world, Trace trace, NamespaceId space, ConntrackEntry stale)
    {
        var without = new ChangedWorld(world, [], new HashSet<NamespaceId>(), (id, entry) => id == space && entry.Original == stale.Original && entry.Zone == stale.Zone);
        return new Walker(without).Walk(trace.Packet, trace.From).Outcomes.FirstOrDefault(static one => one.Verdict == Verdict.Delivered);
    }

    /// <summary>As conntrack-tools' own command line has it.</summary>
    private static string Command(ConntrackEntry entry)
    {
        var (tuple, protocol) = (entry.Original, entry.Original.Protocol switch { Packets.Packet.Tcp => "tcp", Packets.Packet.Sctp => "sctp", _ => "udp" });
        return $"conntrack -D -p {protocol} -s {tuple.Source} -d {tuple.Destination} --sport {tuple.SourcePort} --dport {tuple.DestinationPort}{(entry.Zone == 0 ? "" : $" -w {entry.Zone}")}";
    }
}
