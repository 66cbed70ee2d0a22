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
        var start = last is { } previous && previous >= first && range.Contains(previous) ? (previous.DistanceFrom(first) + 1) % count : 0;
        var next = start;
        do
        {
            var candidate = first.Plus(next);
            if (!isHeld(candidate))
            {
                return candidate;
            }
            next = next + 1 < count ? next + 1 : 0;
        }
        while (next != start);
        return null;
    }

    /// <summary>Whether an address is one that pods may have.</summary>
    public static bool Gives(IpPrefix range, IpAddress address) =>
        range.Contains(address) && address >= range.First.Plus(2) && address.DistanceFrom(range.First.Plus(2)) < Capacity(range);

    /// <summary>How many pods the range has room for; no more than a number of 64 bits can say.</summary>
    public static ulong Capacity(IpPrefix range)
    {
        var beyondFirst = range.Last.DistanceFrom(range.First);
        var reserved = range.Family == IpFamily.V4 ? 2u : 1u;
        return beyondFirst > reserved ? beyondFirst - reserved : 0;
    }
}
