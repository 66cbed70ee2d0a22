using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Nodes;

/// <summary>Gives each node its range of pod addresses. A node whose name ends in a number gets that number's range if it is free: 10.244.3.0/24 for node-3.</summary>
internal sealed class NodeRangeController(ControllerContext context, ControllerOptions options) : KeyedController<string>(context)
{
    private const int PrefixLengthV6 = 64;

    private readonly Dictionary<string, List<string>> ranges = [];
    private readonly HashSet<string> taken = [];

    public override void Observe(in ObservedChange change)
    {
        if (change.Resource != GroupResource.Nodes)
            return;
        string name = change.Latest.Name;
        if (change.New is null)
        {
            if (ranges.Remove(name, out var held))
                taken.ExceptWith(held);
            // Somebody may be waiting for it.
            foreach (var node in Context.Store.List(GroupResource.Nodes))
            {
                if (!ranges.ContainsKey(node.Name))
                    Queue.Add(node.Name);
            }
        }
        else if (!ranges.ContainsKey(name))
        {
            Queue.Add(name);
            Keep(name, change.New);
        }
    }

    protected override void Reconcile(string key)
    {
        if (ranges.ContainsKey(key) || !View.TryFind(new StoreKey(GroupResource.Nodes, "", key), out var stored))
            return;
        var chosen = new List<string>();
        foreach (var (network, length) in Networks())
        {
            if (Choose(network, length, key) is not { } range)
            {
                Context.Events.Warning(stored, "cidrAllocator", "CIDRNotAvailable", $"Node {key} status is now: CIDRNotAvailable; {network} has no free /{length}");
                return;
            }
            chosen.Add(range);
        }
        Context.Show(Registry.Update(stored.Key, root =>
        {
            var spec = Fields.Object(root, "spec");
            if (Fields.Text(spec, "podCIDR").Length > 0)
                return false;
            var list = new JsonArray();
            foreach (string range in chosen)
                list.Add(range);
            spec["podCIDR"] = chosen[0];
            spec["podCIDRs"] = list;
            return true;
        }));
        ranges[key] = chosen;
        taken.UnionWith(chosen);
    }

    /// <summary>A node may come with ranges of its own.</summary>
    private void Keep(string name, StoredObject stored)
    {
        var node = stored.As(KubernetesJson.TypeInfo<Node>());
        if (string.IsNullOrEmpty(node.Spec.PodCIDR))
            return;
        var held = node.Spec.PodCIDRs.Count > 0 ? new List<string>(node.Spec.PodCIDRs) : [node.Spec.PodCIDR];
        ranges[name] = held;
        taken.UnionWith(held);
    }

    private IEnumerable<(IPNetwork Network, int Length)> Networks()
    {
        yield return (options.ClusterNetwork, LengthIn(options.ClusterNetwork));
        if (options.ClusterNetworkV6 is { } six)
            yield return (six, LengthIn(six));
    }

    private int LengthIn(IPNetwork network) => network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? PrefixLengthV6 : options.NodePrefixLength;

    private string? Choose(IPNetwork network, int length, string node)
    {
        long count = 1L << Math.Min(30, length - network.PrefixLength);
        int digits = node.Length;
        while (digits > 0 && char.IsAsciiDigit(node[digits - 1]))
            digits--;
        if (long.TryParse(node.AsSpan(digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number < count && Free(network, length, number) is { } own)
            return own;
        // The first one is left to the last, so that node-1's is there when node-1 comes; many routers also dislike a network of zero.
        for (long i = 1; i <= count; i++)
        {
            if (Free(network, length, i % count) is { } range)
                return range;
        }
        return null;
    }

    private string? Free(IPNetwork network, int length, long index)
    {
        byte[] bytes = network.BaseAddress.GetAddressBytes();
        int shift = (bytes.Length * 8) - length;
        // The index stands in the bits between the network's prefix and the node's.
        for (int bit = 0; index >> bit != 0; bit++)
        {
            if ((index >> bit & 1) != 0)
                bytes[bytes.Length - 1 - ((shift + bit) / 8)] |= (byte)(1 << ((shift + bit) % 8));
        }
        string range = $"{new IPAddress(bytes)}/{length}";
        return taken.Contains(range) ? null : range;
    }
}
