using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>Which new links are the two ends of one pair, so that it is made once.</summary>
internal sealed class VethPairs
{
    private readonly Dictionary<(NamespaceId, string), DeltaItem> _ends = [];

    public VethPairs(List<(KernelNamespace Kernel, List<DeltaItem> Items)> byNamespace)
    {
        foreach (var (_, items) in byNamespace)
        {
            foreach (var item in items)
            {
                if (item.Want?.Entry is LinkEntry { Type: LinkType.Veth } link && RtnetlinkApplier.IsNewLink(item))
                {
                    _ends[(link.Namespace, link.Name)] = item;
                }
            }
        }
    }

    /// <summary>Of two new ends, the one without a master makes the pair: a pod's, from inside; of two alike, the one that comes first.</summary>
    public bool IsMadeBy(DeltaItem item)
    {
        if (OtherEnd(item) is not { } other)
        {
            return true;
        }
        var link = (LinkEntry)item.Want!.Entry;
        var (mine, theirs) = (Rank(link), Rank(other));
        return mine != theirs ? mine < theirs : link.Key.CompareTo(other.Key) < 0;
    }

    /// <summary>The other end, when it is new too.</summary>
    public LinkEntry? OtherEnd(DeltaItem item)
    {
        var link = (LinkEntry)item.Want!.Entry;
        return link.Type is LinkType.Veth { PeerName: { } name } veth
            && _ends.TryGetValue((veth.PeerNamespace ?? link.Namespace, name), out var other)
            && !ReferenceEquals(other, item)
            ? (LinkEntry)other.Want!.Entry
            : null;
    }

    private static int Rank(LinkEntry link) => string.IsNullOrEmpty(link.Master) ? 0 : 1;
}
