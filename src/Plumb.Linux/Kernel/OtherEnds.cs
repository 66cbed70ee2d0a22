using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>The link that IFLA_LINK speaks of: the other end of a veth, or what a macvlan, ipvlan or VLAN sits on.</summary>
/// <param name="Namespace">Where it is; its name is null when that is not known.</param>
/// <param name="Link">The link itself; null when it could not be asked.</param>
internal readonly record struct OtherEnd(NamespaceId Namespace, LinkMessage? Link);

/// <summary>
/// Finds the other end of each veth, and the like. A link tells the other's ifindex and the number by which the kernel knows its namespace here;
/// which namespace that is can only be asked the other way round, of each candidate by descriptor.
/// </summary>
internal sealed class OtherEnds(Kernels kernels, Dictionary<NamespaceId, LinkTable> dumped)
{
    /// <summary>By ifindex of the end in <paramref name="target"/>. Ends whose namespace is not known are left out.</summary>
    public Dictionary<int, OtherEnd> Of(KernelNamespace target, LinkTable links)
    {
        var peers = new Dictionary<int, OtherEnd>();
        var unnamed = new Dictionary<NamespaceId, List<(int Here, int There)>>();
        LearnNumbers(target, links);
        foreach (var link in links.All)
        {
            if (link is not { Info.Kind: { } kind, Link: { } index } || !HasOther(kind) || NamespaceOf(target, link.LinkNamespace) is not { } where)
            {
                continue;
            }
            if (dumped.TryGetValue(where, out var table))
            {
                peers[link.Index] = new OtherEnd(where, table.Find(index));
            }
            else
            {
                peers[link.Index] = new OtherEnd(where, null);
                if (!unnamed.TryGetValue(where, out var list))
                {
                    unnamed.Add(where, list = []);
                }
                list.Add((link.Index, index));
            }
        }
        foreach (var (where, ends) in unnamed)
        {
            AskNames(where, ends, peers);
        }
        return peers;
    }

    private static bool HasOther(string kind) => kind == "veth" || StackedInfo.IsKind(kind);

    private static NamespaceId? NamespaceOf(KernelNamespace target, int? number)
    {
        if (number is not { } known)
        {
            return target.Id;
        }
        lock (target.Numbers)
        {
            return target.Numbers.TryGetValue(known, out var id) ? id : null;
        }
    }

    private void LearnNumbers(KernelNamespace target, LinkTable links)
    {
        var missing = new HashSet<int>();
        lock (target.Numbers)
        {
            foreach (var link in links.All)
            {
                if (link is { Info.Kind: { } kind, LinkNamespace: { } number } && HasOther(kind) && !target.Numbers.ContainsKey(number))
                {
                    missing.Add(number);
                }
            }
        }
        if (missing.Count == 0)
        {
            return;
        }
        // A pod's veths all end in its node, a node's in its pods. So ask the namespaces with many first: those whose links were
        // dumped along, and then all in one request.
        var candidates = kernels.All();
        var hubs = candidates.FindAll(c => c != target && c.Numbers.Count > 1);
        if (hubs.Count is > 0 and < 16)
        {
            Ask(target, hubs, missing);
        }
        if (missing.Count > 0)
        {
            Ask(target, candidates, missing);
        }
    }

    private static void Ask(KernelNamespace target, List<KernelNamespace> candidates, HashSet<int> missing)
    {
        using var request = new NetlinkWriter(candidates.Count * 32);
        foreach (var candidate in candidates)
        {
            new NamespaceIdMessage { Descriptor = candidate.Network.Number }.Emit(request, RtnetlinkTypes.RTM_GETNSID);
        }
        target.Route.TryExecute(request, (message, index) =>
        {
            if (NamespaceIdMessage.Parse(message.Payload).Number is { } number and not NamespaceIdMessage.NotAssigned)
            {
                lock (target.Numbers)
                {
                    target.Numbers[number] = candidates[index].Id;
                }
                missing.Remove(number);
            }
        });
    }

    private void AskNames(NamespaceId where, List<(int Here, int There)> ends, Dictionary<int, OtherEnd> peers)
    {
        if (!kernels.TryGet(where, out var kernel))
        {
            return;
        }
        using var request = new NetlinkWriter(ends.Count * 40);
        foreach (var (_, there) in ends)
        {
            LinkMessage.EmitGet(request, name: null, there);
        }
        // An end that is gone meanwhile has no name, and soon no other end.
        kernel.Route.TryExecute(request, (message, index) => peers[ends[index].Here] = new OtherEnd(where, LinkMessage.Parse(message.Payload)));
    }
}
