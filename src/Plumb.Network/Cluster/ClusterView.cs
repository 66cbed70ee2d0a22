using System.Collections.Immutable;
using Plumb.Linux.Addresses;

namespace Plumb.Network.Cluster;

/// <summary>
/// The cluster's objects as the network sees them, at one moment: immutable, so that a layer can compare before and after. A
/// change costs O(log n).
/// </summary>
public sealed class ClusterView
{
    private readonly ImmutableSortedDictionary<string, ClusterNode> _nodes;
    private readonly RangeClaims _claims;
    private readonly ClusterServices _services;

    private ClusterView(ImmutableSortedDictionary<string, ClusterNode> nodes, RangeClaims claims, ClusterServices services)
    {
        _nodes = nodes;
        _claims = claims;
        _services = services;
    }

    public static ClusterView Empty { get; } =
        new(ImmutableSortedDictionary.Create<string, ClusterNode>(StringComparer.Ordinal), RangeClaims.Empty, ClusterServices.Empty);

    /// <summary>The Services that nodes serve, and their endpoints.</summary>
    public ClusterServices Services => _services;

    public ClusterView With(ClusterServices services) =>
        ReferenceEquals(services, _services) ? this : new ClusterView(_nodes, _claims, services);

    public IReadOnlyDictionary<string, ClusterNode> Nodes => _nodes;

    public ClusterNode? Node(string name) => _nodes.GetValueOrDefault(name);

    public ClusterView With(ClusterNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var was = Node(node.Name);
        return node == was ? this : new ClusterView(_nodes.SetItem(node.Name, node), _claims.With(was, node), _services);
    }

    public ClusterView WithoutNode(string name) =>
        Node(name) is { } was ? new ClusterView(_nodes.Remove(name), _claims.With(was, null), _services) : this;

    /// <summary>Every subject in the view: what a plan from nothing begins with.</summary>
    public IEnumerable<Subject> Subjects()
    {
        foreach (var name in _nodes.Keys)
        {
            yield return Subject.Node(name);
        }
        foreach (var service in _services.Subjects())
        {
            yield return service;
        }
    }

    /// <summary>Names of the nodes whose pod ranges share addresses with one of this node's, itself not included.</summary>
    public IReadOnlyList<string> Rivals(ClusterNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        List<string>? rivals = null;
        foreach (var range in node.PodRanges)
        {
            foreach (var claim in _claims.Overlapping(range))
            {
                if (claim.Node != node.Name)
                {
                    (rivals ??= []).Add(claim.Node);
                }
            }
        }
        return rivals ?? (IReadOnlyList<string>)[];
    }

    /// <summary>The node that keeps a range against <paramref name="node"/>'s claim: the oldest, of equally old ones the first by name; null when the claim stands.</summary>
    public ClusterNode? StrongerClaim(ClusterNode node, IpPrefix range)
    {
        ArgumentNullException.ThrowIfNull(node);
        ClusterNode? strongest = null;
        foreach (var claim in _claims.Overlapping(range))
        {
            if (claim.Node != node.Name && Node(claim.Node) is { } rival && Precedes(rival, strongest ?? node))
            {
                strongest = rival;
            }
        }
        return strongest;
    }

    private static bool Precedes(ClusterNode left, ClusterNode right)
    {
        var byAge = left.Created.CompareTo(right.Created);
        return byAge != 0 ? byAge < 0 : string.CompareOrdinal(left.Name, right.Name) < 0;
    }
}
