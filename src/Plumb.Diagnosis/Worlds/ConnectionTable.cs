using Plumb.Linux.Conntrack;

namespace Plumb.Diagnosis.Worlds;

/// <summary>Connections that a kernel remembered, found by either direction as the kernel finds them.</summary>
public sealed class ConnectionTable
{
    private readonly Dictionary<(ConntrackTuple, ushort Zone), ConntrackEntry> _byTuple = [];

    public ConnectionTable(IEnumerable<ConntrackEntry> all)
    {
        ArgumentNullException.ThrowIfNull(all);
        foreach (var entry in all)
        {
            _byTuple[(entry.Original, entry.Zone)] = entry;
            _byTuple[(entry.Reply, entry.Zone)] = entry;
        }
    }

    public ConntrackEntry? Find(ConntrackTuple tuple, ushort zone) => _byTuple.GetValueOrDefault((tuple, zone));
}
