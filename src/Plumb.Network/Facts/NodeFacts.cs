using System.Collections.Immutable;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Network.Facts;

/// <summary>What is so on this node, at one moment. Immutable; a sandbox that comes or goes costs O(log n).</summary>
public sealed class NodeFacts
{
    private ImmutableSortedDictionary<SandboxId, Sandbox> _sandboxes = ImmutableSortedDictionary<SandboxId, Sandbox>.Empty;
    private ImmutableSortedDictionary<IpPrefix, int> _ranges = ImmutableSortedDictionary<IpPrefix, int>.Empty; // how many sandboxes hold an address of each
    private int _loopbackPorts; // how many sandboxes have ports that are open at 127.0.0.1
    private ImmutableSortedDictionary<int, Mirror> _mirrors = ImmutableSortedDictionary<int, Mirror>.Empty;

    private NodeFacts(string name, NamespaceId networkNamespace, NetworkOptions options)
    {
        Name = name;
        Namespace = networkNamespace;
        Options = options;
    }

    /// <summary>Name of the Node object.</summary>
    public string Name { get; }

    /// <summary>The node's own network namespace, by the name that entries use.</summary>
    public NamespaceId Namespace { get; }

    public NetworkOptions Options { get; private set; }

    /// <summary>Null until the device that carries the node's address has been found.</summary>
    public Underlay? Underlay { get; private set; }

    /// <summary>Service addresses that this node itself answers at now, instead of the Service's endpoints: unless it is told otherwise, all that it should.</summary>
    public ValueList<LocalAnswer> Answers { get; private set; }

    /// <summary>Whether connections to Services may bear no mark of theirs: iptables serves them, or has done so as far as is known.</summary>
    public bool HasUnmarked { get; private set; }

    /// <summary>Which endpoint of a Service stands in which slot here; kept by the layer that serves them.</summary>
    public PoolTable Pools { get; private set; } = PoolTable.Empty;

    public IReadOnlyDictionary<SandboxId, Sandbox> Sandboxes => _sandboxes;

    /// <summary>Copies of pods' packets that leave for another node, or come from one, by their numbers.</summary>
    public IReadOnlyDictionary<int, Mirror> Mirrors => _mirrors;

    /// <summary>The ranges that at least one sandbox holds an address of, in order.</summary>
    public IEnumerable<IpPrefix> PoolsInUse => _ranges.Keys;

    /// <summary>Whether some pod can be reached at 127.0.0.1.</summary>
    public bool HasLoopbackPorts => _loopbackPorts != 0;

    /// <summary>Whether some pod ever could, as far as is known: what was opened for it has to be closed then.</summary>
    public bool HadLoopbackPorts { get; private set; }

    public bool IsPoolInUse(IpPrefix pool) => _ranges.ContainsKey(pool);

    public static NodeFacts Create(string name, NamespaceId networkNamespace, NetworkOptions options, Underlay? underlay = null) =>
        new(name, networkNamespace, options) { Underlay = underlay, Answers = LocalAnswer.Dns(options), HasUnmarked = options.Services == ServicesKind.Iptables };

    public Sandbox? Sandbox(SandboxId id) => _sandboxes.GetValueOrDefault(id);

    public NodeFacts With(Underlay? underlay) => Changed(copy => copy.Underlay = underlay);

    public NodeFacts With(ValueList<LocalAnswer> answers) => Changed(copy => copy.Answers = answers);

    public NodeFacts With(PoolTable pools) => ReferenceEquals(pools, Pools) ? this : Changed(copy => copy.Pools = pools);

    public NodeFacts With(NetworkOptions options) => Changed(copy =>
    {
        copy.Options = options;
        copy.HasUnmarked |= options.Services == ServicesKind.Iptables;
    });

    /// <summary>An earlier agent served Services by iptables.</summary>
    public NodeFacts WithUnmarked() => Changed(static copy => copy.HasUnmarked = true);

    /// <summary>A pod that has gone could be reached at 127.0.0.1.</summary>
    public NodeFacts WithPastLoopbackPorts() => Changed(static copy => copy.HadLoopbackPorts = true);

    public NodeFacts With(Sandbox sandbox)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        var was = Sandbox(sandbox.Id);
        var ranges = was is null ? _ranges : Count(_ranges, was, -1);
        return Changed(copy =>
        {
            copy._loopbackPorts += LoopbackPorts(sandbox) - LoopbackPorts(was);
            copy.HadLoopbackPorts |= copy.HasLoopbackPorts;
            copy._sandboxes = _sandboxes.SetItem(sandbox.Id, sandbox);
            copy._ranges = Count(ranges, sandbox, +1);
        });
    }

    public NodeFacts Without(SandboxId id) => Sandbox(id) is not { } was ? this : Changed(copy =>
    {
        copy._loopbackPorts -= LoopbackPorts(was);
        copy._sandboxes = _sandboxes.Remove(id);
        copy._ranges = Count(_ranges, was, -1);
    });

    public NodeFacts With(Mirror mirror)
    {
        ArgumentNullException.ThrowIfNull(mirror);
        return Changed(copy => copy._mirrors = _mirrors.SetItem(mirror.Number, mirror));
    }

    public NodeFacts WithoutMirror(int number) => Changed(copy => copy._mirrors = _mirrors.Remove(number));

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
        foreach (var mirror in _mirrors.Values)
        {
            yield return mirror.Subject;
        }
    }

    private static int LoopbackPorts(Sandbox? sandbox)
    {
        foreach (var port in sandbox?.Ports ?? [])
        {
            if (port.IsOnLoopback)
            {
                return 1;
            }
        }
        return 0;
    }

    private NodeFacts Changed(Action<NodeFacts> change)
    {
        var copy = (NodeFacts)MemberwiseClone();
        change(copy);
        return copy;
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
