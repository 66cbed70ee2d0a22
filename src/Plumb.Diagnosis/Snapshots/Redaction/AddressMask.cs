using System.Security.Cryptography;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>
/// Other addresses for all, so that two are in one network exactly if the two that they stand for are: whether a bit is turned depends on those before it and on a key
/// that nobody keeps. What has a meaning by itself stays what it is (loopback, link-local, groups, private ranges as such), and so does the first octet and the last
/// of IPv4, the first two and the last eight of IPv6: ranges within one network stay ranges.
/// </summary>
public sealed class AddressMask(byte[] key)
{
    private const int FirstKeptV4 = 8;
    private const int LastKeptV4 = 24;
    private const int FirstKeptV6 = 16;
    private const int LastKeptV6 = 64;
    private static readonly UInt128 MappedV4 = 0xffff;

    private static readonly IpPrefix[] Special =
        [IpPrefix.Parse("172.16.0.0/12"), IpPrefix.Parse("192.168.0.0/16"), IpPrefix.Parse("100.64.0.0/10"), IpPrefix.Parse("169.254.0.0/16"), IpPrefix.Parse("fe80::/10")];

    private readonly Dictionary<(IpFamily, UInt128), UInt128> _turned = [];

    public IpAddress Of(IpAddress address)
    {
        if (address.Family == IpFamily.V6 && address.IsLinkLocal)
        {
            return OfInterface(address);
        }
        if (IsMapped(address))
        {
            return IpAddress.FromNumber(IpFamily.V6, (MappedV4 << 32) | Of(IpAddress.FromNumber(IpFamily.V4, (uint)address.Number)).Number);
        }
        if (IsKept(address))
        {
            return address;
        }
        var (first, last) = address.Family == IpFamily.V4 ? (FirstKeptV4, LastKeptV4) : (FirstKeptV6, LastKeptV6);
        var low = address.BitLength - last;
        var network = address.Number >> low;
        if (!_turned.TryGetValue((address.Family, network), out var bits))
        {
            _turned[(address.Family, network)] = bits = Turned(address, first, last);
        }
        return IpAddress.FromNumber(address.Family, address.Number ^ (bits << low));
    }

    /// <summary>A network stays one: what is zero behind its length is zero.</summary>
    public IpPrefix Of(IpPrefix prefix)
    {
        var masked = new IpPrefix(Of(prefix.Address), prefix.Length);
        return prefix.Address == prefix.Network.Address ? masked.Network : masked;
    }

    /// <summary>The last address of a range that begins there: of a whole network its end.</summary>
    public IpAddress LastOf(IpAddress first, IpAddress last)
    {
        for (var length = 0; length < first.BitLength; length++)
        {
            var prefix = new IpPrefix(first, length);
            if (prefix.First == first && prefix.Last == last)
            {
                return Of(prefix).Last;
            }
        }
        return Of(last);
    }

    /// <summary>The first address of such a range.</summary>
    public IpAddress FirstOf(IpAddress first, IpAddress last)
    {
        for (var length = 0; length < first.BitLength; length++)
        {
            var prefix = new IpPrefix(first, length);
            if (prefix.First == first && prefix.Last == last)
            {
                return Of(prefix).First;
            }
        }
        return Of(first);
    }

    /// <summary>The last four octets, in which addresses of pods may stand.</summary>
    public MacAddress Of(MacAddress mac) =>
        mac.IsZero || mac.IsMulticast ? mac : MacAddress.FromNumber((mac.Number & 0xffff_0000_0000) | (ulong)Of(IpAddress.FromNumber(IpFamily.V4, (uint)mac.Number)).Number);

    // Of an address that was made of a hardware address (RFC 4291, appendix A), that one.
    private IpAddress OfInterface(IpAddress address)
    {
        var host = (ulong)address.Number;
        if (((host >> 24) & 0xffff) != 0xfffe)
        {
            return address;
        }
        var mac = Of(MacAddress.FromNumber((((host >> 40) << 24) | (host & 0xff_ffff)) ^ 0x0200_0000_0000)).Number ^ 0x0200_0000_0000;
        return IpAddress.FromNumber(IpFamily.V6, ((address.Number >> 64) << 64) | ((mac >> 24) << 40) | (0xfffeUL << 24) | (mac & 0xff_ffff));
    }

    // ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2): the IPv4 address as a socket of IPv6 knows it.
    private static bool IsMapped(IpAddress address) => address.Family == IpFamily.V6 && address.Number >> 32 == MappedV4;

    private static bool IsKept(IpAddress address) => address.Family == IpFamily.V4
        ? (address.Number >> 24) is var octet && (octet == 0 || octet == 127 || octet >= 224 || address.IsLinkLocal)
        : address.Number >> 112 == 0 || address.IsMulticast;

    private UInt128 Turned(IpAddress address, int first, int last)
    {
        UInt128 turned = 0;
        Span<byte> known = stackalloc byte[18];
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        for (var bit = first; bit < last; bit++)
        {
            turned <<= 1;
            var before = new IpPrefix(address, bit).Network;
            if (IsPathToSpecial(before))
            {
                continue;
            }
            before.Address.WriteBytes(known);
            known[16] = (byte)bit;
            known[17] = (byte)address.Family;
            HMACSHA256.HashData(key, known, hash);
            turned |= (UInt128)(hash[0] & 1);
        }
        return turned;
    }

    // What lies before a range that is known as such leads there and nowhere else.
    private static bool IsPathToSpecial(IpPrefix before)
    {
        foreach (var special in Special)
        {
            if (special.Family == before.Family && before.Length < special.Length && before.Contains(special.Address))
            {
                return true;
            }
        }
        return false;
    }
}
