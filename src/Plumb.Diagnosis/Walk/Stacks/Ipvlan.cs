using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Segments;
using Plumb.Diagnosis.Walk.Stages;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stacks;

/// <summary>Several hosts with one hardware address, told apart by their addresses of IP: <c>ipvlan_queue_xmit</c> and <c>ipvlan_handle_frame</c>.</summary>
internal static class Ipvlan
{
    public static Step Send(Traveller traveller, Surroundings around, LinkEntry link, LinkType.Ipvlan ipvlan)
    {
        if (around.Uppers.Below(ipvlan) is not { } below)
        {
            return Stack.OutOfSight(traveller, link, ipvlan);
        }
        var isRouted = ipvlan.Mode != IpvlanMode.L2;
        if (!isRouted && traveller.FrameDestination.IsMulticast)
        {
            return Stack.ForMany(traveller, link);
        }
        // Without a switch that sends frames back, those on one device speak to one another at once: when routed, else when the frame is for the address that they share.
        if ((ipvlan.Flags & IpvlanFlags.Vepa) == 0 && (isRouted || traveller.FrameDestination == link.Mac))
        {
            if (Owner(around, below.Space, below.Device, traveller.Packet.Destination) is { } other)
            {
                return (ipvlan.Flags & IpvlanFlags.Private) != 0
                    ? traveller.Drop($"{link.Name} is private: nothing goes from it to {other.Link.Name} of {other.At.Space.Id}", link, link.Name)
                    : Stack.Up(traveller, other.At, traveller.Note($"{link.Name} ⇄ {other.Link.Name}, both on {below.Device}", link, link.Name));
            }
            if (!isRouted)
            {
                // dev_forward_skb: the address is that of the host below, too.
                return new Step.On(traveller with
                {
                    Space = below.Space, Stage = Stage.Prerouting, In = below.Device, Out = null, Route = null, Connection = null, CameBy = null,
                    Hops = traveller.Hops.Add(traveller.Note($"{link.Name} → {below.Device}", link, link.Name)),
                });
            }
        }
        // ipvlan_process_v4_outbound: the host below sends it on as its own, by this device alone.
        return isRouted
            ? new Step.On(traveller with
            {
                Space = below.Space, Stage = Stage.Send, In = null, Out = below.Device, Route = null, Connection = null, CameBy = null,
                Hops = traveller.Hops.Add(traveller.Note($"{link.Name} → {below.Device}: routed there", link, link.Name)),
            })
            : Stack.Down(traveller, link, below);
    }

    /// <summary>Where a packet that a device has received goes; null: to the device's own host.</summary>
    public static Step? Receive(Traveller traveller, Surroundings around, LinkEntry link)
    {
        var to = traveller.Packet.Destination;
        if (traveller.FrameDestination.IsMulticast || !IsHintedAt(traveller.Space, link.Name, to) || Owner(around, traveller.Space, link.Name, to) is not { } upper)
        {
            return null;
        }
        return upper.Type.Mode == IpvlanMode.L3s ? null : Stack.Up(traveller, upper.At, traveller.Note($"{link.Name} → {upper.Link.Name}", upper.Link, link.Name));
    }

    /// <summary>In mode l3s the host below asks its own rules, of PREROUTING and LOCAL_IN, before the packet is the other's (<c>ipvlan_l3_rcv</c>, <c>ipvlan_nf_input</c>).</summary>
    public static Step? Route(Traveller traveller, Surroundings around) =>
        IsHintedAt(traveller.Space, traveller.In!, traveller.Packet.Destination)
        && Owner(around, traveller.Space, traveller.In!, traveller.Packet.Destination) is { Type.Mode: IpvlanMode.L3s } upper
            ? (traveller with { For = upper.At }).Go(Stage.Input, traveller.Note($"for {upper.Link.Name}, which sits on {traveller.In}", upper.Link, traveller.In))
            : null;

    /// <summary>
    /// Whether an ipvlan may have the address: the kernel has such devices, and the host below would send the packet back to where it came from, or nowhere.
    /// Nothing nearer at hand tells of them.
    /// </summary>
    public static bool IsHintedAt(Space space, string device, IpAddress address)
    {
        if (!space.MayCarryIpvlan || space.Addresses.Any(own => own.Address.Address == address))
        {
            return false;
        }
        var way = RouteLookup.Find(space, new RouteQuestion(IpAddress.Unspecified(address.Family), address, 0, 0, null, null))[0];
        return !way.LeadsOn || way.Hop!.Device == device || space.Link(way.Hop.Device ?? "")?.Type is LinkType.Stacked;
    }

    private static Upper<LinkType.Ipvlan>? Owner(Surroundings around, Space space, string device, IpAddress address)
    {
        foreach (var upper in around.Uppers.On<LinkType.Ipvlan>(space, device))
        {
            if (upper.Link.Up == true && upper.At.Space.Addresses.Any(own => own.Device == upper.Link.Name && own.Address.Address == address))
            {
                return upper;
            }
        }
        return null;
    }
}
