using System.Net;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Lab;

/// <summary>Ranges as the API server takes them, which knows nothing of the kernel.</summary>
internal static class ApiRanges
{
    public static IPNetwork ToNetwork(this IpPrefix range) => new(range.First.ToIPAddress(), range.Length);

    /// <summary>That of the other family; null: there is one family only.</summary>
    public static IPNetwork? SecondNetwork(this ValueList<IpPrefix> ranges) => ranges.Count > 1 ? ranges[1].ToNetwork() : null;
}
