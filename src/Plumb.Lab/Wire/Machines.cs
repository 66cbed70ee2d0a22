using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;

namespace Plumb.Lab.Wire;

/// <summary>The network namespaces of the wire and of the machines on it, held by descriptors alone: they end with the process.</summary>
internal sealed class Machines : IDisposable
{
    private static readonly HashSet<EntryKind> Kinds = [EntryKind.Link, EntryKind.Address, EntryKind.Route, EntryKind.Neighbour, EntryKind.Sysctl];

    private readonly Kernels _kernels = new();
    private readonly List<NetworkNamespace> _nodes = [];

    private Machines(WireAddresses addresses)
    {
        Wire = Create(WirePlan.WireId);
        Outside = Create(WirePlan.OutsideId);
        for (var number = 1; number <= addresses.NodeCount; number++)
        {
            _nodes.Add(Create(WirePlan.NodeId(number)));
        }
    }

    public NetworkNamespace Wire { get; }

    public NetworkNamespace Outside { get; }

    /// <summary>node-1 is the first.</summary>
    public IReadOnlyList<NetworkNamespace> Nodes => _nodes;

    /// <summary>Makes the namespaces and connects them; about 2 ms a machine, most of it the kernel's.</summary>
    /// <exception cref="LabException">The kernel refuses something.</exception>
    public static Machines Build(WireAddresses addresses)
    {
        Machines? machines = null;
        try
        {
            machines = new Machines(addresses);
            machines.Connect(WirePlan.Of(addresses, Directory.Exists($"/proc/sys/{WirePlan.BridgeFilterDirectory}")), addresses);
            return machines;
        }
        catch (Exception refused) when (refused is ApplyException or Linux.Native.SystemCallException or Linux.Netlink.NetlinkException)
        {
            machines?.Dispose();
            throw new LabException($"the kernel does not let the lab's machines be made: {refused.Message.ReplaceLineEndings(" ")}", refused);
        }
    }

    public void Dispose() => _kernels.Dispose();

    private NetworkNamespace Create(NamespaceId id)
    {
        var network = NetworkNamespace.Create();
        _kernels.Add(id, network);
        return network;
    }

    // What a namespace is born with (its loopback device) is there already: hence the difference and not the plan alone.
    private void Connect(DesiredState plan, WireAddresses addresses)
    {
        List<NamespaceId> all = [WirePlan.WireId, WirePlan.OutsideId];
        for (var number = 1; number <= addresses.NodeCount; number++)
        {
            all.Add(WirePlan.NodeId(number));
        }
        _kernels.Apply(Difference.Between(plan, _kernels.Observe(all, Kinds), Kinds).Items);
    }
}
