using Plumb.CommandLine;
using Plumb.Diagnosis.Explain;
using Plumb.Diagnosis.Worlds;
using Plumb.Lab;
using Plumb.Lab.Rootless;
using Plumb.Lab.Running;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Commands;

/// <summary>The kernels of a running lab, seen from a command's process beside the plans of its agents.</summary>
internal sealed class LabWorld(LabClient client, LabStatus lab) : IWorld, IDisposable
{
    private const string InsideVariable = "PLUMB_INSIDE";

    private readonly Kernels _kernels = new();
    private readonly Dictionary<NamespaceId, Space> _spaces = [];
    private bool _hasAll;

    public IEnumerable<NamespaceId> Known => lab.Machines.Select(static machine => machine.Id).Concat(lab.Pods.Select(static pod => pod.Id)).Distinct();

    public Space? Find(NamespaceId id)
    {
        if (_spaces.TryGetValue(id, out var known))
        {
            return known;
        }
        EnterAll();
        return _kernels.Knows(id) ? _spaces[id] = KernelSource.Observe(_kernels, id) : null;
    }

    /// <summary>
    /// Starts this command again with the rights of the lab's user namespace, unless it has them: only there may its network namespaces be
    /// entered. The command's network, files and process ids stay the machine's.
    /// </summary>
    public static void EnterUserNamespace(LabClient client)
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

    /// <param name="only">One node; null: all.</param>
    public IEnumerable<string> Nodes(string? only)
    {
        var nodes = lab.Machines.Where(static m => m.Ready is not null).Select(static m => m.Name).ToList();
        return only is null ? nodes
            : nodes.Contains(only) ? [only]
            : throw new LabException($"the lab '{lab.Name}' has no node '{only}'; it has {string.Join(", ", nodes)}");
    }

    /// <summary>Everything in a node's own namespace and in those of its pods, with its reason; and what objects ask for that the node does not do.</summary>
    public async Task<(IReadOnlyList<Explanation> Account, ObservedState Observed, IReadOnlyList<string> Refusals)> AccountAsync(string node)
    {
        var seen = new HashSet<NamespaceId> { new(node) };
        EnterMachines();
        foreach (var pod in lab.Pods)
        {
            if (pod.Node == node && (_kernels.Knows(pod.Id) ? pod.Id.Name != node : TryEnter(pod)))
            {
                seen.Add(pod.Id);
            }
        }
        // After the namespaces: what is planned for a pod that has come since has nothing to be compared with.
        var plan = await PlanAsync(node);
        var planned = plan.Entries.Where(e => seen.Contains(e.Key.Namespace)).ToList();
        var origins = plan.Origins();
        var observed = _kernels.Observe(seen, parameters: planned.Where(static e => e.Kind == EntryKind.Sysctl).Select(static e => e.Key));
        return (Account.Of(observed, planned.ToDictionary(static e => e.Key, e => new PlannedReason(e.Text, origins[e.Key]))), observed, plan.Refusals);
    }

    // All of them, so that the other end of a cable has a name.
    private void EnterMachines()
    {
        foreach (var machine in lab.Machines)
        {
            if (!_kernels.Knows(machine.Id))
            {
                _kernels.Add(machine.Id, NetworkNamespace.Open(machine.NamespacePath));
            }
        }
    }

    private void EnterAll()
    {
        if (_hasAll)
        {
            return;
        }
        _hasAll = true;
        EnterMachines();
        foreach (var pod in lab.Pods)
        {
            if (!_kernels.Knows(pod.Id))
            {
                TryEnter(pod);
            }
        }
    }

    private bool TryEnter(SandboxStatus pod)
    {
        try
        {
            _kernels.Add(pod.Id, NetworkNamespace.Open(pod.NamespacePath));
            return true;
        }
        catch (SystemCallException)
        {
            // It has ended since the lab was asked.
            return false;
        }
    }

    public void Dispose() => _kernels.Dispose();

    /// <summary>What a node's agent plans, and why.</summary>
    public async Task<PlanDocument> PlanAsync(string node)
    {
        await using var answer = await client.NodeAsync(node, "state", CancellationToken.None);
        using var copy = new MemoryStream();
        await answer.CopyToAsync(copy);
        return PlanDocument.FromJson(copy.GetBuffer().AsSpan(0, (int)copy.Length));
    }
}
