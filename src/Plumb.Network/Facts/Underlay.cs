using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Network.Facts;

/// <summary>The node's device on the wire that joins the nodes, as it was found.</summary>
/// <param name="MtuBytes">Largest IP packet that the wire carries.</param>
/// <param name="Addresses">The node's own, with the wire's prefix length, at most one of each family, InternalIP first.</param>
/// <param name="Routers">The default gateways on this device, at most one of each family.</param>
public sealed record Underlay(string Device, MacAddress Mac, int MtuBytes, ValueList<IpPrefix> Addresses, ValueList<IpAddress> Routers)
{
    /// <summary>The node's address, by which other nodes know it.</summary>
    public IpPrefix? AddressOf(IpFamily family)
    {
        foreach (var address in Addresses)
        {
            if (address.Family == family)
            {
                return address;
            }
        }
        return null;
    }

    public IpAddress? RouterOf(IpFamily family)
    {
        foreach (var router in Routers)
        {
            if (router.Family == family)
            {
                return router;
            }
        }
        return null;
    }

    /// <summary>Whether a frame reaches the address without a router.</summary>
    public bool IsOnWire(IpAddress address) => AddressOf(address.Family) is { } own && own.Contains(address);
}
