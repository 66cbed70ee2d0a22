using System.Collections.Concurrent;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Zones;

/// <summary>Names in wire form and lower case; read without a lock and without allocating.</summary>
internal sealed class NameSet
{
    private readonly ConcurrentDictionary<byte[], bool> _names = new(concurrencyLevel: 1, capacity: 16, NameComparer.Instance);
    private readonly ConcurrentDictionary<byte[], bool>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public NameSet() => _lookup = _names.GetAlternateLookup<ReadOnlySpan<byte>>();

    public bool Contains(ReadOnlySpan<byte> name) => _lookup.ContainsKey(name);

    public void Set(DomainName? name, bool isIn)
    {
        if (name is { } known)
        {
            if (isIn)
            {
                _names[known.WireBytes] = true;
            }
            else
            {
                _names.TryRemove(known.WireBytes, out _);
            }
        }
    }
}
