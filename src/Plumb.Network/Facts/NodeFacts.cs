using System.Collections.Immutable;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Network.Facts;

/// <summary>What is so on this node, at one moment. Immutable; a sandbox that comes or goes costs O(log n).</summary>
public sealed class NodeFacts
{
    private readonly ImmutableSortedDictionary<SandboxId, Sandbox> _sandboxes;
    private readonly ImmutableSortedDictionary<IpPrefix, int> _ranges; // how many sandboxes hold an address of each

    private NodeFacts(
        string name,
        NamespaceId networkNamespace,
        NetworkOptions options,
        Underlay? underlay,
        ImmutableSortedDictionary<SandboxId, Sandbox> sandboxes,
        ImmutableSortedDictionary<IpPrefix, int> ranges,
        PoolTable pools,
        ValueList<LocalAnswer> answers,
        bool hasUnmarked)
    {
        Name = name;
        Namespace = networkNamespace;
        Options = options;
        Underlay = underlay;
        _sandboxes = sandboxes;
        _ranges = ranges;
        Pools = pools;
        Answers = answers;
        HasUnmarked = hasUnmarked;
    }

    /// <summary>Name of the Node object.</summary>
    public string Name { get; }

    /// <summary>The node's own network namespace, by the name that entries use.</summary>
    public NamespaceId Namespace { get; }

    public NetworkOptions Options { get; }

    /// <summary>Null until the device that carries the node's address has been found.</summary>
    public Underlay? Underlay { get; }

    /// <summary>Service addresses that this node itself answers at now, instead of the Service's endpoints: unless it is told otherwise, all that it should.</summary>
    public ValueList<LocalAnswer> Answers { get; }

    /// <summary>Whether connections to Services may bear no mark of theirs: iptables serves them, or has done so as far as is known.</summary>
    public bool HasUnmarked { get; }

    /// <summary>Which endpoint of a Service stands in which slot here; kept by the layer that serves them.</summary>
    public PoolTable Pools { get; }

    public IReadOnlyDictionary<SandboxId, Sandbox> Sandboxes => _sandboxes;

    /// <summary>The ranges that at least one sandbox holds an address of, in order.</summary>
    public IEnumerable<IpPrefix> PoolsInUse => _ranges.Keys;

    public bool IsPoolInUse(IpPrefix pool) => _ranges.ContainsKey(pool);

    public static NodeFacts Create(string name, NamespaceId networkNamespace, NetworkOptions options, Underlay? underlay = null) =>
        new(
            name,
            networkNamespace,
            options,
            underlay,
            ImmutableSortedDictionary<SandboxId, Sandbox>.Empty,
            ImmutableSortedDictionary<IpPrefix, int>.Empty,
            PoolTable.Empty,
            LocalAnswer.Dns(options),
            options.Services == ServicesKind.Iptables);

    public Sandbox? Sandbox(SandboxId id) => _sandboxes.GetValueOrDefault(id);

    public NodeFacts With(Underlay? underlay) => new(Name, Namespace, Options, underlay, _sandboxes, _ranges, Pools, Answers, HasUnmarked);

    public NodeFacts With(ValueList<LocalAnswer> answers) => new(Name, Namespace, Options, Underlay, _sandboxes, _ranges, Pools, answers, HasUnmarked);

    public NodeFacts With(PoolTable pools) =>
        ReferenceEquals(pools, Pools) ? this : new(Name, Namespace, Options, Underlay, _sandboxes, _ranges, pools, Answers, HasUnmarked);

    public NodeFacts With(NetworkOptions options) =>
        new(Name, Namespace, options, Underlay, _sandboxes, _ranges, Pools, Answers, HasUnmarked || options.Services == ServicesKind.Iptables);

    /// <summary>An earlier agent served Services by iptables.</summary>
    public NodeFacts WithUnmarked() => new(Name, Namespace, Options, Underlay, _sandboxes, _ranges, Pools, Answers, hasUnmarked: true);

    public NodeFacts With(Sandbox sandbox)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        var ranges = _ranges;
        if (Sandbox(sandbox.Id) is { } was)
        {
            ranges = Count(ranges, was, -1);
        }
        return new NodeFacts(Name, Namespace, Options, Underlay, _sandboxes.SetItem(sandbox.Id, sandbox), Count(ranges, sandbox, +1), Pools, Answers, HasUnmarked);
    }

    public NodeFacts Without(SandboxId id) =>
        Sandbox(id) is { } was
            ? new NodeFacts(Name, Namespace, Options, Underlay, _sandboxes.Remove(id), Count(_ranges, was, -1), Pools, Answers, HasUnmarked)
            : this;

    /// <summary>Whether anything but the sandboxes differs.</summary>
    public bool MachineDiffersFrom(NodeFacts other) =>
        Name != other.Name || Namespace != other.Namespace || Options != other.Options || Underlay != other.Underlay || Answers != other.Answers;

    /// <summary>Every subject among the facts: what a plan from nothing begins with.</summary>
    public IEnumerable<Subject> Subjects()
    {
        yield return Subject.Machine;
        foreach (var id in _sandboxes.Keys)
        {
            yield return id.Subject;
        }
    }

    private static ImmutableSortedDictionary<IpPrefix, int> Count(ImmutableSortedDictionary<IpPrefix, int> pools, Sandbox sandbox, int by)
    {
        foreach (var lease in sandbox.Leases)
        {
            var count = pools.GetValueOrDefault(lease.Pool) + by;
            pools = count == 0 ? pools.Remove(lease.Pool) : pools.SetItem(lease.Pool, count);
        }
        return pools;
    }
}

/// <summary>A port of a Service's address that a server on the node itself answers (DNS).</summary>
/// <param name="Cause">The Service.</param>
public readonly record struct LocalAnswer(IpAddress Address, IpProtocol Protocol, ushort Port, Origin Cause)
{
    private const ushort DnsPort = 53;

    /// <summary>Those of the node's DNS server, while it works.</summary>
    public static ValueList<LocalAnswer> Dns(NetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var cause = new Origin(Subject.Option("cluster-dns"));
        var answers = new List<LocalAnswer>(2 * options.DnsServers.Count);
        foreach (var server in options.DnsServers)
        {
            answers.Add(new LocalAnswer(server, IpProtocol.Udp, DnsPort, cause));
            answers.Add(new LocalAnswer(server, IpProtocol.Tcp, DnsPort, cause));
        }
        return [.. answers];
    }
}
