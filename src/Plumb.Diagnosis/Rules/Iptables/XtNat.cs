using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>What targets that translate choose from (xt_nat, xt_MASQUERADE, xt_REDIRECT, xt_NETMAP).</summary>
internal static class XtNat
{
    /// <returns>No range: the device has no address that is known.</returns>
    public static (bool Destination, NatRange? Range, string What) RangeOf(XtTarget target, XtWay way, ChainHook hook, IReadOnlyList<AddressEntry> addresses)
    {
        switch (target)
        {
            case XtTarget.Nat nat:
                return (nat.Destination, nat.Range, nat.Destination ? "dnat" : "snat");
            case XtTarget.Masquerade masquerade:
                return (false, With(OwnAddresses.ToMasquerade(addresses, way.Place, way.Packet), masquerade.Range), "masquerade");
            case XtTarget.Redirect redirect:
                return (true, With(OwnAddresses.Of(addresses, hook == ChainHook.Output ? null : way.Place.InDevice, way.Packet.Family), redirect.Range), "redirect");
            case XtTarget.NetMap map:
                var isDestination = hook is ChainHook.Prerouting or ChainHook.Output;
                var present = isDestination ? way.Packet.Destination : way.Packet.Source;
                var hosts = map.To.Last.Number ^ map.To.First.Number;
                return (isDestination, new NatRange(IpAddress.FromNumber(present.Family, map.To.First.Number | (present.Number & hosts)), null, null, null), "netmap");
            default:
                return default;
        }
    }

    private static NatRange? With(IpAddress? address, NatRange range) => address is { } own ? range with { First = own } : null;
}
