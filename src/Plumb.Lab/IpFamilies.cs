using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Lab;

/// <summary>Which addresses a cluster's machines, pods and Services have (<c>--ip-family</c>).</summary>
public enum IpFamilies
{
    IPv4 = 1,

    /// <summary>Both, IPv4 first.</summary>
    Dual,

    IPv6,
}

/// <summary>
/// A lab's address ranges, of which one is chosen for each family. This is where families are decided: everything after has a list of ranges, and
/// what it does for one it does for all.
/// </summary>
/// <param name="What">Whose range it is, in a person's words.</param>
/// <param name="Option">By which option another is chosen.</param>
public sealed record DefaultRanges(string What, string Option, IpPrefix V4, IpPrefix V6)
{
    public static DefaultRanges Nodes { get; } = new("nodes", "--node-cidr", IpPrefix.Parse("192.168.1.0/24"), IpPrefix.Parse("fd00:192:168:1::/64"));

    public static DefaultRanges Pods { get; } = new("pods", "--pod-cidr", IpPrefix.Parse("10.244.0.0/16"), IpPrefix.Parse("fd00:10:244::/56"));

    public static DefaultRanges Services { get; } = new("services", "--service-cidr", IpPrefix.Parse("10.96.0.0/12"), IpPrefix.Parse("fd00:10:96::/112"));

    public ValueList<IpPrefix> Of(IpFamilies families) => Of(families, []);

    /// <summary>A range of each family, those that somebody chose before these.</summary>
    /// <exception cref="LabException">One was chosen of a family that the cluster has not.</exception>
    public ValueList<IpPrefix> Of(IpFamilies families, ValueList<IpPrefix> chosen)
    {
        var ranges = new List<IpPrefix>(2);
        if (families is IpFamilies.IPv4 or IpFamilies.Dual)
        {
            ranges.Add(V4);
        }
        if (families is IpFamilies.IPv6 or IpFamilies.Dual)
        {
            ranges.Add(V6);
        }
        foreach (var range in chosen)
        {
            var place = ranges.FindIndex(other => other.Family == range.Family);
            if (place < 0)
            {
                var (has, word) = range.Family == IpFamily.V6 ? ("IPv4", "ipv6") : ("IPv6", "ipv4");
                throw new LabException($"{Option} {range}: the cluster has {has} addresses only; say --ip-family dual for both, or {word}");
            }
            ranges[place] = range;
        }
        return [.. ranges];
    }
}
