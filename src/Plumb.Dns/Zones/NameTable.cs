using System.Collections.Concurrent;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Zones;

/// <summary>
/// All names by their wire form. Any number of threads read without a lock and without allocating; one writes. A change costs what
/// it changes.
/// </summary>
internal sealed class NameTable
{
    private readonly ConcurrentDictionary<byte[], NameNode> _nodes = new(concurrencyLevel: 1, capacity: 64, NameComparer.Instance);
    private readonly ConcurrentDictionary<byte[], NameNode>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public NameTable() => _lookup = _nodes.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count => _nodes.Count;

    /// <summary>In no order.</summary>
    public IEnumerable<NameNode> All => _nodes.Values;

    /// <param name="name">In wire form and lower case.</param>
    public NameNode? Find(ReadOnlySpan<byte> name) => _lookup.TryGetValue(name, out var node) ? node : null;

    /// <summary>The longest existing name that this one is or ends in; null when it is in no zone.</summary>
    public NameNode? Closest(ReadOnlySpan<byte> name)
    {
        while (true)
        {
            // A name that stands alone has nothing below it.
            if (Find(name) is { } node && (node.IsApex || node.Apex is not null))
            {
                return node;
            }
            if (name[0] == 0)
            {
                return null;
            }
            name = WireName.Parent(name);
        }
    }

    public void AddApex(DomainName name) => _nodes.TryAdd(name.WireBytes, new NameNode(name.WireBytes, parent: null) { IsApex = true });

    /// <summary>Makes <paramref name="records"/> all that a source gives to a name; none: it gives nothing any more.</summary>
    public void Set(byte[] name, object source, Record[] records)
    {
        if (!_nodes.TryGetValue(name, out var node))
        {
            if (records.Length == 0)
            {
                return;
            }
            // Complete before anybody can find it: a new name is never seen empty.
            node = new NameNode(name, ParentOf(name)) { Content = NodeContent.Empty.With(source, records) };
            Add(node);
            return;
        }
        node.Content = node.Content.With(source, records);
        RemoveIfNotNeeded(node);
    }

    // The names between an existing one and its zone exist, too. One that is in no zone stands alone.
    private NameNode? ParentOf(ReadOnlySpan<byte> name)
    {
        if (Closest(name) is not { } top)
        {
            return null;
        }
        return Between(WireName.Parent(name), top);
    }

    private NameNode Between(ReadOnlySpan<byte> name, NameNode top)
    {
        if (name.Length <= top.Name.Length)
        {
            return top;
        }
        var parent = Between(WireName.Parent(name), top);
        var node = new NameNode(name.ToArray(), parent);
        Add(node);
        return node;
    }

    private void Add(NameNode node)
    {
        if (node.Parent is { } parent)
        {
            parent.Children++;
        }
        _nodes[node.Name] = node;
    }

    private void RemoveIfNotNeeded(NameNode node)
    {
        for (var at = node; at is { IsNeeded: false }; at = at.Parent)
        {
            _nodes.TryRemove(at.Name, out _);
            if (at.Parent is { } parent)
            {
                parent.Children--;
            }
        }
    }
}
