using System.Text.Json.Nodes;
using Plumb.Agent;
using Plumb.Agent.Asking;
using Plumb.Commands;
using Plumb.Diagnosis.Machines;
using Plumb.Diagnosis.Snapshots;
using Plumb.Diagnosis.Worlds;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Linux.Addresses;
using Plumb.Linux.Containers;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Scenes;

/// <summary>This machine as a node of a cluster: its kernel, and what its agent plans and knows. What is beyond its wire is known by addresses and names alone.</summary>
internal sealed class NodeScene : ILiveScene
{
    private const int MostResolverBytes = 64 * 1024; // a file of the pod's own making

    private readonly AgentClient _agent;
    private readonly Machine _machine;
    private readonly NodePlaces _places;
    private readonly Dictionary<NamespaceId, Inhabited> _inhabited;

    /// <exception cref="AgentException">The agent does not answer, or is another version's.</exception>
    public NodeScene(AgentClient agent)
    {
        _agent = agent;
        _places = agent.Places();
        Name = _places.Node;
        var told = new Dictionary<ulong, ToldResident> { [_places.Inode] = new(new NamespaceId(Name), new Resident(Name, null, "its agent says so"), null) };
        foreach (var pod in _places.Pods)
        {
            told.TryAdd(pod.Inode, new ToldResident(new NamespaceId(pod.Space), new Resident(pod.Name, ScopeOf(pod), "the node's agent has connected it"), pod.Path));
        }
        _machine = Machine.Open(_places.Inode, told);
        _inhabited = _machine.Inhabited.ToDictionary(static one => one.Id);
        Parties = new Parties(Title, [.. All()]);
    }

    public string Title => $"the node {Name}";

    public string Name { get; }

    public IWorld World => _machine;

    public Parties Parties { get; }

    public IReadOnlyList<string> Unseen => _machine.Unseen;

    public IpFamily ServiceFamily => Network is { ServiceRanges: [var first, ..] } ? first.Family : IpFamily.V4;

    public SnapshotNetwork? Network
    {
        get
        {
            var chosen = _places.Network;
            return Enum.TryParse<OverlayKind>(chosen.Overlay, out var overlay) && Enum.TryParse<ServicesKind>(chosen.Services, out var services)
                ? new SnapshotNetwork(overlay, services, Ranges(chosen.NodeRanges), Ranges(chosen.PodRanges), Ranges(chosen.ServiceRanges), Addresses(chosen.DnsServers))
                : null;
        }
    }

    public NetworkNamespace Open(NamespaceId id) => _machine.Enter(id);

    public string? EvidenceOf(NamespaceId space) => _inhabited.GetValueOrDefault(space)?.Resident.Evidence;

    public Task<IReadOnlyList<T>> ListAsync<T>(string? scope, CancellationToken cancel, FieldSelector? fields = null)
        where T : IResource<T> => Task.FromResult<IReadOnlyList<T>>(
            Reads<T>()
                ? [.. _agent.Objects(T.Type.Resource.Resource, scope, fields?.ToString()).Select(static found => KubernetesJson.Read<T>(found))]
                : []);

    public bool Reads<T>()
        where T : IResource<T> => ReadableKinds.All.ContainsKey(T.Type.Resource.Resource);

    public string? Untold => $"objects other than {string.Join(", ", ReadableKinds.All.Keys)}, so also Pods: an agent may read no others (ask where the API can be asked)";

    public IAsyncEnumerable<JsonObject> ObjectsAsync(CancellationToken cancel) =>
        ReadableKinds.All.Keys.SelectMany(resource => _agent.Objects(resource, null, null)).ToAsyncEnumerable();

    public Task<PlanDocument?> PlanAsync(string node, IReadOnlyCollection<EntryKey>? keys = null) => Task.FromResult<PlanDocument?>(_agent.Plan(keys));

    public Task<PlanDocument?> PlanAboutAsync(string node, string thing) => Task.FromResult<PlanDocument?>(_agent.PlanAbout(thing));

    public string? Beyond(IpAddress address)
    {
        var holder = _agent.HolderOf(address);
        if (holder.Pod is { } pod)
        {
            return $"pod {pod}{(holder.Node is { } node ? $" on {node}" : "")}";
        }
        return holder.Node is null || holder.Node == Name ? null
            : _places.Nodes.Any(one => one.Name == holder.Node && Addresses(one.Addresses).Contains(address)) ? $"node {holder.Node}"
            : $"an address of {holder.Node}'s pods";
    }

    public Task<DnsResult?> AskAsync(string name, string? pod, string type)
    {
        var asker = pod is null ? null : Parties.Find(pod.Contains('/', StringComparison.Ordinal) ? pod : $"default/{pod}") ?? throw Parties.Unknown(pod, []);
        return Task.FromResult(DnsQuestion.Ask(_agent, Name, asker?.FullName, asker is null ? "" : ResolverOf(asker) ?? "", name, type));
    }

    /// <summary>What one of its processes finds there; where none can be seen, what kubelet writes for <c>dnsPolicy: ClusterFirst</c>.</summary>
    public string? ResolverOf(Party pod)
    {
        foreach (var process in _inhabited.GetValueOrDefault(pod.Space)?.Held.Processes ?? [])
        {
            try
            {
                // One with our own files is no container's.
                if (File.ResolveLinkTarget($"/proc/{process}/ns/mnt", returnFinalTarget: false)?.Name == File.ResolveLinkTarget("/proc/self/ns/mnt", returnFinalTarget: false)?.Name)
                {
                    continue;
                }
                using var tree = new TreeWalk($"/proc/{process}/root");
                if (tree.Read("/etc/resolv.conf", MostResolverBytes) is { } text)
                {
                    return text;
                }
            }
            catch (Exception unread) when (unread is SystemCallException or IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile, or is another user's.
            }
        }
        return pod.Scope is null ? null : $"search {pod.Scope}.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n";
    }

    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IReadOnlyList<PlannedEntry>? elements = null) =>
        elements is null ? _machine.Observe(spaces, parameters) : _machine.Observe(spaces, parameters, elements);

    public void Dispose() => _machine.Dispose();

    private IEnumerable<Party> All()
    {
        var own = _places.Nodes.FirstOrDefault(one => one.Name == Name);
        var home = new NamespaceId(Name);
        yield return new Party(PartyKind.Node, Name, null, Name, home, [.. Addresses(own?.Addresses ?? []).Union(_inhabited.GetValueOrDefault(home)?.Addresses ?? [])]);
        foreach (var pod in _places.Pods)
        {
            yield return new Party(ScopeOf(pod) is null ? PartyKind.Machine : PartyKind.Pod, pod.Name, ScopeOf(pod), Name, new NamespaceId(pod.Space), [.. Addresses(pod.Addresses)]);
        }
        foreach (var other in _places.Nodes.Where(one => one.Name != Name))
        {
            yield return new Party(PartyKind.Machine, other.Name, null, other.Name, new NamespaceId(other.Name), [.. Addresses(other.Addresses)]);
        }
        // Containers that are no pods, or whose network is another's.
        var told = _places.Pods.Select(static pod => new NamespaceId(pod.Space)).Append(home).ToHashSet();
        foreach (var one in _inhabited.Values.Where(one => !told.Contains(one.Id)))
        {
            yield return new Party(PartyKind.Machine, one.Resident.Name, one.Resident.Pod, one.Resident.FullName, one.Id, [.. one.Addresses]);
        }
    }

    private static string? ScopeOf(ConnectedPod pod) => pod.Scope.Length == 0 ? null : pod.Scope;

    private static IReadOnlyList<IpAddress> Addresses(IEnumerable<string> texts) => [.. texts.Select(IpAddress.Parse)];

    private static IReadOnlyList<IpPrefix> Ranges(IEnumerable<string> texts) => [.. texts.Select(static text => IpPrefix.Parse(text))];
}
