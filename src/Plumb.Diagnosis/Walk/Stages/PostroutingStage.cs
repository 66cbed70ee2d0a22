using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>NF_INET_POST_ROUTING, then whether the packet fits the device (<c>ip_finish_output</c>).</summary>
internal sealed class PostroutingStage : IStage
{
    public Stage Stage => Stage.Postrouting;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around) => Hooks.Pass(traveller, ChainHook.Postrouting, Leave);

    private static Step Leave(Traveller traveller)
    {
        var link = traveller.Space.Link(traveller.Out!);
        if (link?.Type is Linux.State.LinkType.Loopback)
        {
            return traveller.Go(Stage.Transmit);
        }
        if (Mtu.Of(traveller) is { } mtu && traveller.Packet.LengthOnLink > mtu)
        {
            if (traveller.Packet.DontFragment)
            {
                if (traveller.Packet.Inner?.NetworkId is not null)
                {
                    // Who sends what is inside hears nothing of it.
                    return traveller.Drop($"{traveller.Packet.Length} bytes with the tunnel's headers do not fit the MTU of {mtu} on {traveller.Out}, and IPv6 does not cut them", link, traveller.Out);
                }
                // Of a forwarded one that was seen before: Forward.
                var reason = $"{traveller.Packet.Length} bytes do not fit the MTU of {mtu} on {traveller.Out}, and it must not be cut (EMSGSIZE)";
                return traveller.End(Ending.Error, reason, traveller.Note(reason, link, traveller.Out));
            }
            var cut = traveller.Packet with { FragmentLength = mtu };
            return (traveller with { Packet = cut }).Go(Stage.Neighbour, traveller.Note($"cut into fragments of at most {mtu} bytes", link, traveller.Out) with { After = cut });
        }
        return traveller.Go(Stage.Neighbour);
    }
}

/// <summary>How long a packet may be where it leaves.</summary>
internal static class Mtu
{
    /// <summary>The route's own, else the device's; null: not known.</summary>
    public static int? Of(Traveller traveller) =>
        traveller.Route?.Route?.MtuBytes is { } ofRoute and not 0 ? ofRoute : traveller.Space.Link(traveller.Out!)?.MtuBytes;
}
