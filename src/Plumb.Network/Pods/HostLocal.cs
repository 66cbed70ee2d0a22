using Plumb.Linux.Addresses;

namespace Plumb.Network.Pods;

/// <summary>
/// Which address is next in a node's own range: the lowest free one after the last given, then from the start again, so that an
/// address rests as long as it can before another pod gets it.
/// </summary>
public static class HostLocal
{
    /// <summary>Null when all are held. The range's first address (its name and the tunnel's), the second (the gateway) and, in IPv4, the last (broadcast) are never given.</summary>
    /// <param name="isHeld">Whether an address is taken.</param>
    /// <param name="last">The address given last; null: none was.</param>
    public static IpAddress? Next(IpPrefix range, Func<IpAddress, bool> isHeld, IpAddress? last)
    {
        ArgumentNullException.ThrowIfNull(isHeld);
        var count = Capacity(range);
        if (count == 0)
        {
            return null;
        }
        var first = range.First.Plus(2);
        var start = last is { } previous && previous >= first && range.Contains(previous) ? (previous.Number - first.Number + 1) % count : 0;
        for (UInt128 i = 0; i < count; i++)
        {
            var candidate = first.Plus((start + i) % count);
            if (!isHeld(candidate))
            {
                return candidate;
            }
        }
        return null;
    }

    /// <summary>How many pods the range has room for.</summary>
    public static UInt128 Capacity(IpPrefix range)
    {
        var all = range.Last.Number - range.First.Number + 1;
        var reserved = range.Family == IpFamily.V4 ? 3u : 2u;
        return all > reserved ? all - reserved : 0;
    }
}
