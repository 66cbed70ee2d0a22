using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace Plumb.Api.Resources.Services;

/// <summary>The addresses and node ports that Services may have. Allocation is in <see cref="ServiceAllocator"/>.</summary>
public sealed class ServiceRanges(IPNetwork network, IPNetwork? networkV6 = null)
{
    public const int FirstNodePort = 30000;

    public const int LastNodePort = 32767;

    private const int DnsOffset = 10;

    /// <summary>10.96.0.0/12 and no IPv6.</summary>
    public static ServiceRanges Default { get; } = new(new IPNetwork(new IPAddress([10, 96, 0, 0]), 12));

    public IPNetwork Network { get; } = network;

    public IPNetwork? NetworkV6 { get; } = networkV6;

    /// <summary>The address of the Service `kubernetes`.</summary>
    public IPAddress FirstAddress => At(Network, 1);

    /// <summary>The cluster's DNS server: the tenth address of each range that has so many.</summary>
    public IReadOnlyList<IPAddress> DnsAddresses
    {
        get
        {
            var addresses = new List<IPAddress>();
            if (Count(Network) >= DnsOffset)
                addresses.Add(At(Network, DnsOffset));
            if (NetworkV6 is { } other && Count(other) >= DnsOffset)
                addresses.Add(At(other, DnsOffset));
            return addresses;
        }
    }

    internal IPNetwork? Of(AddressFamily family) => family == Network.BaseAddress.AddressFamily ? Network : NetworkV6 is { } other && other.BaseAddress.AddressFamily == family ? other : null;

    /// <summary>How many addresses may be given out: neither the network's own nor, for IPv4, the last.</summary>
    internal static BigInteger Count(IPNetwork range)
    {
        var isV4 = range.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
        return (BigInteger.One << ((isV4 ? 32 : 128) - range.PrefixLength)) - (isV4 ? 2 : 1);
    }

    internal static IPAddress At(IPNetwork range, BigInteger offset)
    {
        var bytes = range.BaseAddress.GetAddressBytes();
        var number = new BigInteger(bytes, isUnsigned: true, isBigEndian: true) + offset;
        var result = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        var padded = new byte[bytes.Length];
        result.CopyTo(padded, padded.Length - result.Length);
        return new IPAddress(padded);
    }

    /// <summary>Inside the range, and neither its first nor (IPv4) its last address.</summary>
    internal static bool IsUsable(IPNetwork range, IPAddress address)
    {
        if (!range.Contains(address))
            return false;
        var offset = new BigInteger(address.GetAddressBytes(), isUnsigned: true, isBigEndian: true) - new BigInteger(range.BaseAddress.GetAddressBytes(), isUnsigned: true, isBigEndian: true);
        return offset > 0 && offset <= Count(range);
    }

    public override string ToString() => NetworkV6 is null ? Network.ToString() : string.Create(CultureInfo.InvariantCulture, $"{Network},{NetworkV6}");
}
