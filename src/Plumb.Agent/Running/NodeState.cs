using Plumb.Agent.Kernel;
using Plumb.Agent.Leases;
using Plumb.Agent.Probing;
using Plumb.Agent.Storage;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Kernel;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Agent.Running;

/// <summary>All that an agent knows; belongs to the loop and is touched by nobody else.</summary>
internal sealed class NodeState(NodeAgentOptions options, LeaseStore leases, FormerParameters parameters, INodeKernel kernel, Planner planner)
{
    public NodeAgentOptions Options { get; } = options;

    public LeaseStore Leases { get; } = leases;

    public INodeKernel Kernel { get; } = kernel;

    /// <summary>What the kernel does not give, as far as it was tried last.</summary>
    public IReadOnlyList<LostFeature> Lost { get; set; } = options.Probe?.Invoke(options.Cluster) ?? [];

    public Planner Planner { get; } = planner;

    public NetworkView View => Planner.View;

    public NamespaceId Home => View.Node.Namespace;

    /// <summary>Namespaces of containers that are alive: what is planned for others cannot be done, and need not be.</summary>
    public bool IsAlive(NamespaceId name) => name == Home || Entered.Contains(name);

    /// <summary>Containers' namespaces that are open now.</summary>
    public HashSet<NamespaceId> Entered { get; } = [];

    /// <summary>Whether it is known which nodes there are: from the API, or as an earlier agent left it.</summary>
    public bool KnowsNodes { get; set; }

    /// <summary>
    /// Whether it is known which Services there are. Until then what an earlier agent wrote for them is left in the kernel, though no plan
    /// wants it yet: connections live on it.
    /// </summary>
    public bool KnowsServices { get; private set; } = options.Api is null || options.Cluster.Services == ServicesKind.None;

    /// <summary>Whether something was left because of that, and the kernel is to be compared with the plan anew.</summary>
    public bool MustCompare { get; private set; }

    /// <summary>Whether something of an earlier agent's was left until it is known whether it is still wanted.</summary>
    public bool LeftSomething => IsApplied && _leftSomething;

    private bool _leftSomething;

    public void LearnServices()
    {
        KnowsServices = true;
        MustCompare = LeftSomething;
    }

    /// <summary>What may be changed now, out of what a comparison asks for.</summary>
    public IReadOnlyList<DeltaItem> Allowed(IReadOnlyList<DeltaItem> items)
    {
        MustCompare = false;
        if (KnowsServices)
        {
            _leftSomething = false;
            return items;
        }
        var allowed = items.Where(static item => !TakesRules(item)).ToList();
        _leftSomething |= allowed.Count != items.Count;
        return allowed;
    }

    // A chain of iptables is changed as a whole: that of no Services takes away the rules of all.
    private static bool TakesRules(DeltaItem item) =>
        (item.Want is null && Kernels.IsRules(item.Key.Kind)) || item.Was is IptablesChainEntry { IsBuiltIn: false, Rules.Count: > 0 };

    /// <summary>Whether what an earlier agent left in the kernel has been compared with the plan; until then nothing is changed there.</summary>
    public bool IsApplied { get; set; }

    /// <summary>
    /// In one line what stands in the way of a link that the node needs for all of its pods, such as their bridge: somebody else has its name, or the kernel refuses it. Null: nothing.
    /// </summary>
    public string? Withheld
    {
        get
        {
            if (_withheld.Count == 0)
            {
                return null;
            }
            var lines = _withheld.Where(one => IsOfAllPods(one.Key)).OrderBy(static one => one.Key).Select(static one => $"{one.Key}: {one.Value}").ToList();
            return lines.Count == 0 ? null : string.Join("; ", lines);
        }
    }

    private readonly Dictionary<EntryKey, string> _withheld = [];

    /// <summary>Remembers of these failures what <see cref="Withheld"/> tells.</summary>
    public void Withhold(IEnumerable<Entry> tried, IReadOnlyList<EntryFailure> failures)
    {
        foreach (var entry in tried)
        {
            if (entry is LinkEntry && entry.Namespace == Home)
            {
                _withheld.Remove(entry.Key);
                if (failures.FirstOrDefault(failure => failure.Key == entry.Key) is { } failure)
                {
                    _withheld[entry.Key] = failure.Message;
                }
            }
        }
    }

    // A pod's own link, or one by which somebody looks at a pod, is that one's trouble alone; what nobody wants any more is nobody's.
    private bool IsOfAllPods(EntryKey key)
    {
        var causes = Planner.Index.Why(key);
        return causes.Count != 0 && causes.All(static cause => cause.Subject.Kind == SubjectKind.Node || cause.Subject.Kind == SubjectKind.Machine);
    }

    /// <summary>The wire's device as it is now; null: not found.</summary>
    public Underlay? FindWire(ObservedState observed)
    {
        IReadOnlyList<IpAddress> addresses = Options.NodeAddress is { } told ? [told] : View.Cluster.Node(View.Node.Name)?.Addresses ?? [];
        return UnderlayReading.Find(observed, Home, addresses);
    }

    /// <summary>The hardware address of the pods' router; null: there is none yet.</summary>
    public MacAddress? BridgeMac => View.Node.Underlay is { } wire ? Devices.BridgeMac(wire.Addresses[0].Address) : null;

    public bool Enter(Lease lease)
    {
        if (!Entered.Contains(lease.NamespaceName) && Kernel.Enter(lease.NamespaceName, lease.NamespacePath, lease.Namespace) is null)
        {
            return false;
        }
        Entered.Add(lease.NamespaceName);
        return true;
    }

    public void LeaveAll()
    {
        foreach (var name in Entered)
        {
            Kernel.Leave(name);
        }
        Entered.Clear();
    }

    /// <summary>What a namespace holds: the node's, or an entered one.</summary>
    public ObservedState Observe(NamespaceId name, KernelAreas areas = KernelAreas.All)
    {
        var parameters = (areas & KernelAreas.Routing) == 0 ? [] : Planner.Desired.Entries.Keys.Where(key => key.Kind == EntryKind.Sysctl && key.Namespace == name);
        var observed = Kernel.Observe(name, parameters, areas);
        if (name == Home && (areas & KernelAreas.Rules) != 0)
        {
            Unread = View.Node.Options.Services == ServicesKind.Iptables ? observed.Unread.Values.FirstOrDefault() : null;
            _isUnsettled |= Unread is not null;
        }
        return observed;
    }

    /// <summary>Why it is not known what iptables' tables hold, in one line; null: it is, or nobody needs to know.</summary>
    public string? Unread { get; private set; }

    private bool _isUnsettled;

    /// <summary>Whether since the last call something of iptables was refused or could not be read.</summary>
    public bool TakeUnsettled()
    {
        var was = _isUnsettled;
        _isUnsettled = false;
        return was;
    }

    /// <summary>Makes the changes; what the kernel refuses is returned.</summary>
    public IReadOnlyList<EntryFailure> Apply(IReadOnlyList<DeltaItem> items)
    {
        parameters.Remember(items, Home, key => Kernel.Parameter(key));
        var failures = Kernel.Apply(items);
        Withhold(items.Where(static item => item.Want is not null).Select(static item => item.Want!.Entry), failures);
        _isUnsettled |= failures.Any(static failure => IptablesKernel.Handles(failure.Key.Kind));
        return failures;
    }

    /// <summary>
    /// Plans by other options and goes over to that plan. What is new is there before anything old goes; when some of it is refused, all of it is taken back and the old plan stays.
    /// </summary>
    public SwitchOutcome Switch(NetworkOptions options)
    {
        var before = View.Node.Options;
        var steps = Changeover.Steps(Replan(options));
        var ended = Planner.Ended.ToList();
        if (!IsApplied || MustCompare || !KnowsServices)
        {
            // A comparison is still to come, and makes of it what this would. What an earlier agent left serves until then.
            _leftSomething = true;
            return new SwitchOutcome([], []);
        }
        for (var i = 0; i < steps.Count; i++)
        {
            var failures = Apply([.. steps[i].Where(item => IsAlive(item.Key.Namespace))]);
            if (failures.Count != 0 && i == 0)
            {
                Replan(before);
                Adoption.Compare(this);
                return new SwitchOutcome(failures, []);
            }
            if (failures.Count != 0)
            {
                // Once more: what is old has no business here. What is new serves, whatever becomes of it.
                Kernel.Forget(ended);
                return new SwitchOutcome([], Adoption.Compare(this));
            }
        }
        Kernel.Forget(ended);
        return new SwitchOutcome([], []);
    }

    private IReadOnlyList<DeltaItem> Replan(NetworkOptions options)
    {
        var node = View.Node.With(options);
        // Where nobody serves Services, nobody keeps up with their endpoints either.
        var remembered = options.Services == ServicesKind.None ? node.With(PoolTable.Empty) : node;
        return Planner.Replan(Layers.For(options), View with { Node = remembered });
    }

    /// <summary>Plans and applies; what the kernel refuses is returned.</summary>
    public IReadOnlyList<EntryFailure> Make(IReadOnlyCollection<Change> changes, NetworkView after)
    {
        var items = Planner.Apply(changes, after);
        if (!IsApplied || MustCompare)
        {
            return [];
        }
        var failures = items.Count == 0 ? [] : Apply([.. items.Where(item => IsAlive(item.Key.Namespace))]);
        // Now that no packet can begin such a connection anew.
        Kernel.Forget(Planner.Ended);
        return failures;
    }
}
