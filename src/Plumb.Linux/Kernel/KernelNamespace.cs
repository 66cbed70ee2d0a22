using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>One network namespace that is observed and changed, with the netlink sockets inside it, opened when first needed.</summary>
internal sealed class KernelNamespace(NamespaceId id, NetworkNamespace network) : IDisposable
{
    private readonly Lock _opening = new();
    private readonly Queue<uint> _writers = new();
    private NetlinkSocket? _route;
    private NetlinkSocket? _netfilter;

    public NamespaceId Id { get; } = id;

    public NetworkNamespace Network { get; } = network;

    public NetlinkSocket Route => Open(ref _route, NetlinkFamily.Route);

    public NetlinkSocket Netfilter => Open(ref _netfilter, NetlinkFamily.Netfilter);

    /// <summary>Which namespaces the numbers stand for by which the kernel names others here (IFLA_LINK_NETNSID).</summary>
    public Dictionary<int, NamespaceId> Numbers { get; } = [];

    /// <summary>Port ids of the sockets opened so far: by them one's own changes are told from others'.</summary>
    public bool IsOwnPort(uint portId) => portId != 0 && (portId == _route?.PortId || portId == _netfilter?.PortId || IsWriter(portId));

    /// <summary>Remembers for a while a process that writes in Plumb's name: the kernel gives its first socket the process's id (<c>netlink_autobind</c>).</summary>
    public void AddWriter(int processId)
    {
        const int most = 256;
        lock (_writers)
        {
            while (_writers.Count >= most)
            {
                _writers.Dequeue();
            }
            _writers.Enqueue((uint)processId);
        }
    }

    private bool IsWriter(uint portId)
    {
        lock (_writers)
        {
            return _writers.Contains(portId);
        }
    }

    public void Dispose()
    {
        _route?.Dispose();
        _netfilter?.Dispose();
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
