using Plumb.Commands;
using Plumb.Diagnosis.Machines;
using Plumb.Diagnosis.Worlds;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Scenes;

/// <summary>This machine, without an API: nobody plans, and nobody can be asked what a name means.</summary>
internal sealed class MachineScene : ILiveScene
{
    private readonly Machine _machine;

    /// <param name="title">For messages.</param>
    public MachineScene(string title)
    {
        Title = title;
        _machine = Machine.Open();
        Parties = new Parties(title, [.. _machine.Inhabited.Select(Of)]);
    }

    public string Title { get; }

    public IWorld World => _machine;

    public Parties Parties { get; }

    public IReadOnlyList<string> Unseen => _machine.Unseen;

    public IpFamily ServiceFamily => IpFamily.V4;

    public string? EvidenceOf(NamespaceId space) => _machine.Inhabited.FirstOrDefault(one => one.Id == space)?.Resident.Evidence;

    public NetworkNamespace Open(NamespaceId id) => _machine.Enter(id);

    public Task<IReadOnlyList<T>> ListAsync<T>(string? scope, CancellationToken cancel, FieldSelector? fields = null)
        where T : IResource<T> => Task.FromResult<IReadOnlyList<T>>([]);

    public Task<PlanDocument?> PlanAsync(string node, IReadOnlyCollection<EntryKey>? keys = null) => Task.FromResult<PlanDocument?>(null);

    public Task<DnsResult?> AskAsync(string name, string? pod, string type) => Task.FromResult<DnsResult?>(null);

    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IReadOnlyList<PlannedEntry>? elements = null) => _machine.Observe(spaces, parameters);

    public void Dispose() => _machine.Dispose();

    private Party Of(Inhabited one) => new(
        one.IsHome ? PartyKind.Node : one.Resident.Pod is null ? PartyKind.Machine : PartyKind.Pod, one.Resident.Name, one.Resident.Pod, _machine.Name, one.Id, [.. one.Addresses]);
}
