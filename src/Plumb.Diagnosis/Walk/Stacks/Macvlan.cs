using Plumb.Diagnosis.Walk.Stages;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stacks;

/// <summary>Several hardware addresses on one device: <c>macvlan_queue_xmit</c> and <c>macvlan_handle_frame</c>.</summary>
internal static class Macvlan
{
    /// <summary>Whether macvlans may sit on a device: it takes frames for other addresses (<c>dev_uc_add</c>), or all there are.</summary>
    public static bool IsHintedAt(Space space, string device) =>
        space.Link(device)?.Master is not { Length: > 0 }
        && (space.IsPromiscuous(device) || space.Fdb(device).Any(static entry => entry is { OfMaster: false, Remote: null } && !entry.Mac.IsMulticast));

    public static Step Send(Traveller traveller, Surroundings around, LinkEntry link, LinkType.Macvlan macvlan)
    {
        if (around.Uppers.Below(macvlan) is not { } below)
        {
            return Stack.OutOfSight(traveller, link, macvlan);
        }
        if (macvlan.Mode == MacvlanMode.Bridge)
        {
            var others = around.Uppers.On<LinkType.Macvlan>(below.Space, below.Device).Where(other => other is { Link.Up: true, Type.Mode: MacvlanMode.Bridge } && other.At != new Segments.Station(traveller.Space, link.Name));
            if (traveller.FrameDestination.IsMulticast)
            {
                return others.Any() ? Stack.ForMany(traveller, link) : Stack.Down(traveller, link, below);
            }
            foreach (var other in others)
            {
                if (other.Link.Mac == traveller.FrameDestination)
                {
                    // dev_forward_skb: in again by the device below, without ever leaving it.
                    return below.Space.Link(below.Device)!.Up == true
                        ? Stack.Up(traveller, other.At, traveller.Note($"{link.Name} ⇄ {other.Link.Name}, both on {below.Device}", link, link.Name))
                        : traveller.Drop($"{below.Device}, which {link.Name} sits on, is down", below.Space.Link(below.Device), link.Name);
                }
            }
        }
        return Stack.Down(traveller, link, below);
    }

    /// <summary>Where a frame that a device has received goes; null: to the device's own host.</summary>
    public static Step? Receive(Traveller traveller, Surroundings around, LinkEntry link)
    {
        var (space, to) = (traveller.Space, traveller.FrameDestination);
        if (!IsHintedAt(space, link.Name))
        {
            return null;
        }
        var uppers = around.Uppers.On<LinkType.Macvlan>(space, link.Name).ToList();
        if (to.IsMulticast)
        {
            return uppers.Exists(static upper => upper.Link.Up == true) ? Stack.ForMany(traveller, link) : null;
        }
        foreach (var upper in uppers)
        {
            if (upper.Type.Mode == MacvlanMode.Passthru || (upper.Link.Mac == to && upper.Type.Mode != MacvlanMode.Source))
            {
                return upper.Link.Up == true
                    ? Stack.Up(traveller, upper.At, traveller.Note($"{link.Name} → {upper.Link.Name}", upper.Link, link.Name))
                    : traveller.Drop($"{upper.Link.Name} of {upper.At.Space.Id} is down", upper.Link, link.Name);
            }
        }
        return uppers.Find(static upper => upper.Type.Mode == MacvlanMode.Source) is { Link: { } source } ? Stack.Unknown(traveller, source, "macvlans in mode source are not followed")
            : link.Mac != to && Segments.Station.TakesForAnother(space, link.Name, to)
            ? Stack.Unknown(traveller, link, $"{link.Name} takes the frame for {to} in for a device above it, in a namespace that cannot be seen from here")
            : null;
    }

    /// <summary>Whether a frame for all is heard by a macvlan (<c>macvlan_multicast_rx</c>, <c>macvlan_broadcast</c>).</summary>
    /// <param name="sender">One on the same device that sent it; null: it came from outside.</param>
    /// <param name="isReflected">It has left the device and come back.</param>
    public static bool Hears(MacvlanMode own, MacvlanMode? sender, bool isReflected) => (sender, isReflected) switch
    {
        (null, _) => true,
        (MacvlanMode.Bridge, false) => own == MacvlanMode.Bridge,
        (MacvlanMode.Bridge, true) => own == MacvlanMode.Vepa,
        (MacvlanMode.Vepa, true) => own is MacvlanMode.Vepa or MacvlanMode.Bridge,
        _ => false,
    };
}
