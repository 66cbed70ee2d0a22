using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;

namespace Plumb.Diagnosis.Rules;

/// <summary>What kind of address a rule takes one for (inet_dev_addr_type, nft_fib6_eval_type, xt_addrtype).</summary>
internal static class AddressTypes
{
    /// <param name="answer">What the routes say.</param>
    /// <param name="device">Only addresses of this device are local; null: of any.</param>
    public static FibAddressType Of(IpAddress address, FibAnswer answer, string? device)
    {
        var type = (FibAddressType)answer.Type;
        var isElsewhere = device is not null && answer.Device is not null && answer.Device != device;
        if (address.IsMulticast)
        {
            return FibAddressType.Multicast;
        }
        if (address.Family == IpFamily.V6)
        {
            return type == FibAddressType.Unspecified ? FibAddressType.Unreachable : type == FibAddressType.Local && isElsewhere ? FibAddressType.Unicast : type;
        }
        var number = (uint)address.Number;
        if (number >> 24 == 0 || number == uint.MaxValue)
        {
            return FibAddressType.Broadcast;
        }
        // The local table alone is asked: what is not there is somebody else's, whether or not a route leads there.
        return type is FibAddressType.Local or FibAddressType.Broadcast && !isElsewhere ? type : FibAddressType.Unicast;
    }
}
