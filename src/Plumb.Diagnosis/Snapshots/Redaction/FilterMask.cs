using System.Numerics;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>Filters of tc that look at addresses: four bytes each of u32, at the places of the network header where they stand.</summary>
internal sealed class FilterMask(AddressMask addresses)
{
    private const int KeyBytes = 4;

    public FilterEntry Of(FilterEntry filter)
    {
        var isIpv6 = filter.Protocol == EtherType.IPv6;
        return filter.Rules is { } rules ? filter with { Rules = [.. rules.AsSpan().ToArray().Select(rule => rule with { Keys = Of(rule.Keys.AsSpan().ToArray(), isIpv6) })] } : filter;
    }

    private ValueList<FilterKey> Of(FilterKey[] keys, bool isIpv6)
    {
        foreach (var (at, bytes) in isIpv6 ? ((int, int)[])[(8, 16), (24, 16)] : [(12, 4), (16, 4)])
        {
            UInt128 value = 0, mask = 0;
            for (var word = at; word < at + bytes; word += KeyBytes)
            {
                var key = keys.LastOrDefault(key => key.OffsetBytes == word);
                (value, mask) = ((value << 32) | (key.Value & key.Mask), (mask << 32) | key.Mask);
            }
            var length = BitOperations.PopCount((ulong)(mask >> 64)) + BitOperations.PopCount((ulong)mask);
            // Other masks than a network's ask for parts of an address.
            if (length == 0 || UInt128.TrailingZeroCount(mask) != (UInt128)((bytes * 8) - length))
            {
                continue;
            }
            var masked = addresses.Of(new IpPrefix(IpAddress.FromNumber(isIpv6 ? IpFamily.V6 : IpFamily.V4, value), length)).Network.Address.Number;
            for (var i = 0; i < keys.Length; i++)
            {
                if (keys[i].OffsetBytes >= at && keys[i].OffsetBytes < at + bytes && (keys[i].OffsetBytes - at) % KeyBytes == 0)
                {
                    keys[i] = keys[i] with { Value = (uint)(masked >> ((bytes - KeyBytes - (keys[i].OffsetBytes - at)) * 8)) & keys[i].Mask };
                }
            }
        }
        return [.. keys];
    }
}
