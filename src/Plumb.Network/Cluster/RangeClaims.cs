using System.Collections.Immutable;
using Plumb.Linux.Addresses;

namespace Plumb.Network.Cluster;

/// <summary>Which node claims which pod range; finds all that overlap a range in O(log n) and their number.</summary>
internal sealed class RangeClaims
{
    private readonly ImmutableSortedSet<Claim> _claims;

    private RangeClaims(ImmutableSortedSet<Claim> claims) => _claims = claims;

    public static RangeClaims Empty { get; } = new([]);

    public RangeClaims With(ClusterNode? was, ClusterNode? now)
    {
        var claims = _claims;
        foreach (var range in was?.PodRanges ?? [])
        {
            claims = claims.Remove(new Claim(range.Network, was!.Name));
        }
        foreach (var range in now?.PodRanges ?? [])
        {
            claims = claims.Add(new Claim(range.Network, now!.Name));
        }
        return new RangeClaims(claims);
    }

    /// <summary>All claims that share an address with <paramref name="range"/>, the range's own included.</summary>
    public IEnumerable<Claim> Overlapping(IpPrefix range)
    {
        // Two prefixes that overlap nest. Those inside stand together; those around it are at most one for each shorter length.
        for (var length = 0; length < range.Length; length++)
        {
            var around = new IpPrefix(range.Address, length).Network;
            for (var i = Position(around); i < _claims.Count && _claims[i].Range == around; i++)
            {
                yield return _claims[i];
            }
        }
        for (var i = Position(new IpPrefix(range.First, range.Length)); i < _claims.Count && range.Contains(_claims[i].Range); i++)
        {
            yield return _claims[i];
        }
    }

    private int Position(IpPrefix range)
    {
        var index = _claims.IndexOf(new Claim(range, ""));
        return index < 0 ? ~index : index;
    }

    internal readonly record struct Claim(IpPrefix Range, string Node) : IComparable<Claim>
    {
        public int CompareTo(Claim other)
        {
            var byRange = Range.CompareTo(other.Range);
            return byRange != 0 ? byRange : string.CompareOrdinal(Node, other.Node);
        }
    }
}
