using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules;

/// <summary>Which address of a device the kernel takes when a rule names none.</summary>
internal static class OwnAddresses
{
    /// <summary>What masquerading makes of a packet's source; null: that is not known.</summary>
    public static IpAddress? ToMasquerade(IReadOnlyList<AddressEntry> addresses, HookPlace place, Packet packet) =>
        place.MasqueradeAddress ?? (place.OutDevice is { } device ? Towards(addresses, device, packet.Destination) : null);

    /// <summary>For masquerading towards a destination (inet_select_addr, ipv6_dev_get_saddr); null: there is none.</summary>
    private static IpAddress? Towards(IReadOnlyList<AddressEntry> addresses, string device, IpAddress destination)
    {
        AddressEntry? best = null;
        foreach (var address in addresses)
        {
            if (address.Device != device || address.Address.Family != destination.Family || (destination.Family == IpFamily.V6 && address.Address.Address.IsLinkLocal))
            {
                continue;
            }
            // The first of the device's addresses whose network holds the destination; else the first.
            if (address.Address.Contains(destination))
            {
                return address.Address.Address;
            }
            best ??= address;
        }
        return best?.Address.Address;
    }

    /// <summary>For redirecting what came in by a device (nf_nat_redirect): the device's first; without one, what a node calls itself.</summary>
    public static IpAddress? Of(IReadOnlyList<AddressEntry> addresses, string? device, IpFamily family)
    {
        if (device is null)
        {
            return family == IpFamily.V4 ? IpAddress.V4(127, 0, 0, 1) : IpAddress.Parse("::1");
        }
        foreach (var address in addresses)
        {
            if (address.Device == device && address.Address.Family == family && !(family == IpFamily.V6 && address.Address.Address.IsLinkLocal))
            {
                return address.Address.Address;
            }
        }
        return null;
    }
}
