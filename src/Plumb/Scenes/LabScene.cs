using System.Text.Json.Nodes;
using Plumb.Commands;
using Plumb.Diagnosis.Snapshots;
using Plumb.Diagnosis.Worlds;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Lab;
using Plumb.Lab.Rootless;
using Plumb.Lab.Running;
using Plumb.Lab.Wire;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Scenes;

/// <summary>A running lab, seen from a command's process: its kernels, its API, the plans of its agents.</summary>
internal sealed class LabScene : ILiveScene, IWorld
{
    private const string InsideVariable = "PLUMB_INSIDE";

    private readonly LabClient _client;
    private readonly TimeProvider _time;
    private readonly Kernels _kernels = new();
    private readonly KernelSpaces _spaces;
    private readonly Dictionary<NamespaceId, string> _paths = [];
    private readonly Lazy<bool> _hasAll;
    private KubernetesClient? _api;

    private LabScene(LabClient client, LabStatus status, TimeProvider time)
    {
        _client = client;
        _time = time;
        _spaces = new KernelSpaces(_kernels);
        _hasAll = new Lazy<bool>(EnterAll);
        Status = status;
        foreach (var (id, path) in status.Machines.Select(static machine => (machine.Id, machine.NamespacePath)).Concat(status.Pods.Select(static pod => (pod.Id, pod.NamespacePath))))
        {
            // Pods of the host's network have their node's.
            _paths.TryAdd(id, path);
        }
        Parties = new Parties(Title, [.. status.Machines.Select(Of), .. status.Pods.Select(Of)]);
    }

    public LabStatus Status { get; }

    public LabClient Client => _client;

    public string Title => $"the lab '{Status.Name}'";

    public string Name => Status.Name.ToString();

    public IWorld World => this;

    public Parties Parties { get; }

    public IpFamily ServiceFamily => Status.ServiceRanges.Count > 0 ? Status.ServiceRanges[0].Family : IpFamily.V4;

    public IEnumerable<NamespaceId> Known => _paths.Keys;

    /// <summary>A lab, once it has started. The command begins again inside its user namespace, where it has the lab's rights.</summary>
    /// <exception cref="LabException">No such lab runs, or its rights cannot be had.</exception>
    public static LabScene Open(LabName name, TimeProvider time)
    {
        var client = LabClient.Connect(name, time);
        EnterUserNamespace(client);
        return new LabScene(client, client.Ready(), time);
    }

    public Space? Find(NamespaceId id)
    {
        _ = _hasAll.Value;
        return _spaces.Find(id);
    }

    public NetworkNamespace Open(NamespaceId id) => NetworkNamespace.Open(_paths[id]);

    public SnapshotNetwork? Network => new(
        Status.Overlay, Status.Services, [.. Status.NodeRanges], [.. Status.PodRanges], [.. Status.ServiceRanges], [.. WireAddresses.DnsServersIn(Status.ServiceRanges)]);

    public IAsyncEnumerable<JsonObject> ObjectsAsync(CancellationToken cancel) => AllObjects.ListAsync(Api, cancel);

    public string? ResolverOf(Party pod)
    {
        try
        {
            return _client.ResolverOf(pod.Scope!, pod.Name).File;
        }
        catch (LabException)
        {
            // It has ended since the lab was asked.
            return null;
        }
    }

    private KubernetesClient Api => _api ??= new KubernetesClient(Kubeconfig.Load(Status.Kubeconfig, "/").Connection(), _time, "plumb");

    public async Task<IReadOnlyList<T>> ListAsync<T>(string? scope, CancellationToken cancel, FieldSelector? fields = null)
        where T : IResource<T> => (await Api.ListAsync<T>(new ListOptions { Namespace = scope, Fields = fields }, cancel)).Items;

    public Task<PlanDocument?> PlanAsync(string node, IReadOnlyCollection<EntryKey>? keys = null) => Task.FromResult<PlanDocument?>(_client.AgentOf(node).Plan(keys));

    public Task<PlanDocument?> PlanAboutAsync(string node, string thing) => Task.FromResult<PlanDocument?>(_client.AgentOf(node).PlanAbout(thing));

    public Task<DnsResult?> AskAsync(string name, string? pod, string type)
    {
        var (node, asker, file) = (Parties.Nodes.First(), (string?)null, "");
        if (pod is not null)
        {
            var slash = pod.IndexOf('/', StringComparison.Ordinal);
            var (scope, own) = slash < 0 ? ("default", pod) : (pod[..slash], pod[(slash + 1)..]);
            var resolver = _client.ResolverOf(scope, own);
            (node, asker, file) = (resolver.Node, $"{scope}/{own}", resolver.File);
        }
        return Task.FromResult(DnsQuestion.Ask(_client.AgentOf(node), node, asker, file, name, type));
    }

    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IReadOnlyList<PlannedEntry>? elements = null)
    {
        // Machines too, so that the other end of a cable has a name.
        foreach (var machine in Status.Machines)
        {
            TryEnter(machine.Id);
        }
        NamespaceId[] seen = [.. spaces.Where(TryEnter)];
        return elements is null ? _kernels.Observe(seen, parameters: parameters) : KernelExcerpt.Observe(_kernels, seen, parameters, elements);
    }

    public void Dispose()
    {
        _api?.Dispose();
        _kernels.Dispose();
    }

    /// <summary>
    /// Starts this command again with the rights of the lab's user namespace, unless it has them: only there may its network namespaces be
    /// entered. The command's network, files and process ids stay the machine's.
    /// </summary>
    private static void EnterUserNamespace(LabClient client)
    {
        var labs = $"/proc/{client.ProcessId}/ns/user";
        if (new FileInfo(labs).LinkTarget == new FileInfo("/proc/self/ns/user").LinkTarget)
        {
            return;
        }
        if (Environment.GetEnvironmentVariable(InsideVariable) is not null)
        {
            throw new LabException($"the rights of the lab '{client.Paths.Name}' cannot be had: {labs} is not the namespace that was entered");
        }
        Environment.SetEnvironmentVariable(InsideVariable, "1");
        var nsenter = Nsenter.Find();
        Exec.Replace(nsenter, [nsenter, $"--user={labs}", "--preserve-credentials", "--", .. ThisProgram.CommandLine, .. Environment.GetCommandLineArgs().Skip(1)]);
    }

    // All of them, so that the other end of a cable has a name.
    private bool EnterAll()
    {
        foreach (var each in _paths.Keys)
        {
            TryEnter(each);
        }
        return true;
    }

    private bool TryEnter(NamespaceId id)
    {
        if (_kernels.Knows(id))
        {
            return true;
        }
        try
        {
            _kernels.Add(id, Open(id));
            return true;
        }
        catch (SystemCallException)
        {
            // It has ended since the lab was asked.
            return false;
        }
    }

    private static Party Of(MachineStatus machine) =>
        new(machine.Ready is null ? PartyKind.Machine : PartyKind.Node, machine.Name, null, machine.Name, machine.Id, machine.Addresses);

    private static Party Of(SandboxStatus pod) => new(PartyKind.Pod, pod.Name, pod.Namespace, pod.Node, pod.Id, pod.Addresses);
}
