using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>One network namespace that is observed and changed, with the netlink sockets inside it, opened when first needed.</summary>
internal sealed class KernelNamespace(NamespaceId id, NetworkNamespace network) : IDisposable
{
    private const long NewsTakesMs = 3000;

    private readonly Lock _opening = new();
    private readonly Dictionary<uint, long?> _writers = []; // when each ended, in ms of the machine's uptime; null: it runs
    private NetlinkSocket? _route;
    private NetlinkSocket? _netfilter;
    private NetlinkSocket? _sockets;
    private NetlinkSocket? _generic;

    public NamespaceId Id { get; } = id;

    public NetworkNamespace Network { get; } = network;

    public NetlinkSocket Route => Open(ref _route, NetlinkFamily.Route);

    public NetlinkSocket Netfilter => Open(ref _netfilter, NetlinkFamily.Netfilter);

    public NetlinkSocket Sockets => Open(ref _sockets, NetlinkFamily.SocketDiagnosis);

    public NetlinkSocket Generic => Open(ref _generic, NetlinkFamily.Generic);

    /// <summary>Which namespaces the numbers stand for by which the kernel names others here (IFLA_LINK_NETNSID).</summary>
    public Dictionary<int, NamespaceId> Numbers { get; } = [];

    /// <summary>Port ids of the sockets opened so far: by them one's own changes are told from others'.</summary>
    public bool IsOwnPort(uint portId) => portId != 0 && (portId == _route?.PortId || portId == _netfilter?.PortId || IsWriter(portId));

    /// <summary>Remembers another socket that writes in Plumb's name. The first one of a process has the process's id (<c>netlink_autobind</c>).</summary>
    public void AddWriter(uint portId)
    {
        lock (_writers)
        {
            _writers[portId] = null;
        }
    }

    /// <summary>It is closed. What the kernel tells of it may still be on its way; a little later the id is somebody else's.</summary>
    public void EndWriter(uint portId)
    {
        lock (_writers)
        {
            var now = Environment.TickCount64;
            foreach (var (id, endedAt) in _writers)
            {
                if (now - endedAt > NewsTakesMs)
                {
                    _writers.Remove(id);
                }
            }
            if (_writers.ContainsKey(portId))
            {
                _writers[portId] = now;
            }
        }
    }

    private bool IsWriter(uint portId)
    {
        lock (_writers)
        {
            return _writers.TryGetValue(portId, out var endedAt) && !(Environment.TickCount64 - endedAt > NewsTakesMs);
        }
    }

    public void Dispose()
    {
        _route?.Dispose();
        _netfilter?.Dispose();
        _sockets?.Dispose();
        _generic?.Dispose();
        Network.Dispose();
    }

    private NetlinkSocket Open(ref NetlinkSocket? socket, NetlinkFamily family)
    {
        lock (_opening)
        {
            return socket ??= Network.OpenNetlink(family);
        }
    }
}
