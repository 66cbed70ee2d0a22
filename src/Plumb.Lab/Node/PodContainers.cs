using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Security;
using Plumb.Lab.Node.Volumes;
using Container = Plumb.Kubernetes.Objects.Container;
using ContainerStatus = Plumb.Lab.Containers.ContainerStatus;

namespace Plumb.Lab.Node;

/// <summary>The containers of a pod that were started, in that order, and how each of them is: from what the pod says to what runs.</summary>
/// <param name="all">What is said of them; under the gate, as it is read from elsewhere.</param>
/// <param name="changed">Told after each change of it.</param>
internal sealed class PodContainers(NodeContext node, PodName name, PodReport all, PodVolumes volumes, Lock gate, Action changed)
{
    private readonly List<RunningContainer> _started = [];

    public IReadOnlyList<RunningContainer> Started
    {
        get
        {
            lock (gate)
            {
                return [.. _started];
            }
        }
    }

    /// <summary>The container of this name that runs or ran; null when it was never started.</summary>
    public IContainer? Find(string container)
    {
        lock (gate)
        {
            return _started.Find(one => one.Report.Name == container)?.Found;
        }
    }

    public delegate ContainerSpec SpecOf(Pod pod, Container container, IReadOnlyList<EnvironmentVariable> environment, IReadOnlyList<ContainerMount> mounts);

    /// <summary>Starts one, with all that it refers to.</summary>
    public async Task<RunningContainer> LaunchAsync(PodFacts facts, Pod pod, Container wanted, ContainerReport report, SpecOf specOf, CancellationToken cancel)
    {
        var running = new RunningContainer(node, name, wanted, ContainerSpecs.GraceOf(pod), report, gate, changed);
        var spec = await ConfigureAsync(facts, pod, wanted, report, specOf, cancel);
        await node.KernelTurn.WaitAsync(cancel);
        try
        {
            lock (gate)
            {
                _started.Add(running);
            }
            running.Start(facts, spec, spec.Target is { Length: > 0 } target ? Find(target) : null);
        }
        finally
        {
            node.KernelTurn.Release();
        }
        return running;
    }

    /// <summary>Puts in what the container's variables and mounts refer to; what is missing is said, and waited for.</summary>
    private async Task<ContainerSpec> ConfigureAsync(PodFacts facts, Pod pod, Container wanted, ContainerReport report, SpecOf specOf, CancellationToken cancel)
    {
        for (var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)); ; backOff.Next())
        {
            string missing, reason;
            try
            {
                var variables = await new VariableSources(node.Sources, name.Namespace).ReadAsync(wanted, cancel);
                var spec = specOf(pod, wanted, variables, []) with { Security = SecurityContexts.Of(wanted.SecurityContext) };
                if (!node.Containers.IsBuiltIn(spec))
                {
                    await volumes.CompleteAsync(cancel);
                }
                return wanted.VolumeMounts.Count == 0 ? spec : spec with { Mounts = volumes.MountsOf(wanted, () => ContainerEnvironment.Build(facts, spec)) };
            }
            catch (Exception refused) when (refused is MissingSourceException or ContainerStartException)
            {
                (missing, reason) = (refused.Message, (refused as ContainerStartException)?.Reason ?? "CreateContainerConfigError");
            }
            lock (gate)
            {
                report.Status = ContainerStatus.Creating with { Reason = reason, Message = missing };
            }
            node.Events.Add(PodEvent.Failed(name, report.Field, missing));
            changed();
            await Task.Delay(backOff.Delay, node.Time, cancel);
        }
    }

    /// <summary>Starts the debugging containers that are new.</summary>
    public async Task DebugAsync(PodFacts facts, Pod pod, CancellationToken deleted)
    {
        foreach (var wanted in pod.Spec.EphemeralContainers)
        {
            ContainerReport report;
            lock (gate)
            {
                if (all.EphemeralContainers.Exists(known => known.Name == wanted.Name))
                {
                    continue;
                }
                all.EphemeralContainers.Add(report = ContainerReport.Of("ephemeralContainers", wanted));
            }
            try
            {
                await LaunchAsync(facts, pod, wanted, report, ContainerSpecs.Ephemeral, deleted);
            }
            catch (OperationCanceledException) when (deleted.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
