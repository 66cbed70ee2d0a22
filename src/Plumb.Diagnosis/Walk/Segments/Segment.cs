using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Diagnosis.Walk.Stages;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Segments;

/// <summary>A device at which frames of a segment come up to a host.</summary>
internal readonly record struct Station(Space Space, string Device)
{
    /// <summary>Whether a device takes in frames for an address that is not its own: a macvlan or its like above it has asked it to (<c>dev_uc_add</c>).</summary>
    public static bool TakesForAnother(Space space, string device, MacAddress address) =>
        space.Link(device)?.Master is not { Length: > 0 } && space.Fdb(device).Any(entry => entry is { OfMaster: false, Remote: null } && entry.Mac == address && !address.IsMulticast);
}

/// <summary>
/// Who is on the same link: cables, bridges and tunnels between hosts, without any router. Answers what a question to all (ARP, NDP) would find,
/// and where a frame that a bridge floods would arrive.
/// </summary>
/// <param name="comesOut">Where a tunnel's packet, which goes its way as any other, leaves the tunnel; null: nowhere.</param>
internal sealed class Segment(IWorld world, Uppers uppers, Func<Traveller, Station?> comesOut)
{
    // Of ARP (RFC 826).
    private const int QuestionBytes = 28;

    private readonly HashSet<(NamespaceId, string)> _asked = [];

    /// <summary>Where a broadcast that a device sends comes up.</summary>
    /// <param name="answerTo">Only where an answer to this address, to one station alone, finds the same way back; null: wherever.</param>
    public IReadOnlyList<Station> HeardFrom(Space space, string device, MacAddress? answerTo = null) => Tell(space, device, answerTo).Found;

    /// <summary>Whether a broadcast also comes to where nobody sees from here: beyond hardware, in namespaces that are not known.</summary>
    public bool LeavesSight(Space space, string device) => Tell(space, device, null).LeavesSight;

    /// <summary>As above, for a frame that a bridge sends out by one of its ports.</summary>
    public bool Leads(Space space, string port, MacAddress to)
    {
        foreach (var station in HeardFrom(space, port))
        {
            if (station.Space.Link(station.Device)?.Mac == to || Station.TakesForAnother(station.Space, station.Device, to))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Who answers for an address on a device's link, and with which hardware address.</summary>
    /// <param name="asker">The address in whose name is asked.</param>
    public IReadOnlyList<(Station Station, MacAddress Mac)> AnswerersFor(Space space, string device, IpAddress address, IpAddress asker)
    {
        var found = new List<(Station, MacAddress)>();
        foreach (var station in HeardFrom(space, device, space.Link(device)?.Mac))
        {
            if (station.Space.Link(station.Device)?.Mac is { } mac
                && NeighbourAnswer.Gives(station, address, asker)
                && (address.Family == IpFamily.V4 || NeighbourRules.LetThrough(new Station(space, device), station, asker, address))
                && (!IsTunnel(space, device) || HeardFrom(station.Space, station.Device).Contains(new Station(space, device))))
            {
                found.Add((station, mac));
            }
        }
        return found;
    }

    private Broadcast Tell(Space space, string device, MacAddress? answerTo)
    {
        var broadcast = new Broadcast(world, this, uppers, answerTo);
        broadcast.Send(space, device);
        return broadcast;
    }

    // A cable leads back as it leads there; a tunnel has a way of its own in each direction.
    private static bool IsTunnel(Space space, string device) => space.Link(device)?.Type is LinkType.Vxlan;

    /// <summary>The tunnel device that takes what is sent to a remote end; null: none can be seen.</summary>
    public Station? FarEnd(Space space, LinkEntry link, LinkType.Vxlan vxlan, IpAddress remote)
    {
        if (!_asked.Add((space.Id, link.Name)))
        {
            // A tunnel that leads into itself.
            return null;
        }
        var question = new Packet(IpAddress.Unspecified(remote.Family), remote, 0) { Length = QuestionBytes };
        var outer = Tunnel.Outer(vxlan, remote, new Encapsulated(question, (uint)vxlan.Vni), question.Length);
        try
        {
            return comesOut(new Traveller(space, Stage.Send, outer, Memory.Empty) { Out = vxlan.Device });
        }
        finally
        {
            _asked.Remove((space.Id, link.Name));
        }
    }
}
