using Plumb.Lab.Running;
using Plumb.Network.Facts;

namespace Plumb.Lab;

/// <summary>Answers what comes in by the lab's socket.</summary>
internal sealed class LabDesk(Lab lab, ControlPlane plane, IReadOnlyDictionary<string, LabNode> nodes, LabCommandRunner? commands) : ILabDesk
{
    public LabStatus Status() => lab.Status();

    public async Task<LabStatus> ReadyAsync(CancellationToken cancel)
    {
        await lab.Started.WaitAsync(cancel);
        return lab.Status();
    }

    public async Task<LabStatus> SetAsync(ServicesKind services, CancellationToken cancel)
    {
        await lab.SetServicesAsync(services, cancel);
        return lab.Status();
    }

    public async Task<byte[]> SaveStoreAsync(CancellationToken cancel)
    {
        await lab.Started.WaitAsync(cancel);
        return plane.Save();
    }

    public async Task<StoreRestored> RestoreStoreAsync(ReadOnlyMemory<byte> copy, CancellationToken cancel)
    {
        await lab.Started.WaitAsync(cancel);
        return await plane.RestoreAsync(copy, cancel);
    }

    public void Stop() => lab.Stop();

    public Task<LabCommandAnswer> RunAsync(LabCommand command) =>
        commands is null
            ? throw new LabException($"lab '{lab.Paths.Name}' runs no commands")
            // A thread of its own: a command waits, for the kernel and for this lab's other answers.
            : Task.Factory.StartNew(() => commands(lab.Paths.Name, command), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    public PodResolver ResolverOf(string scope, string name)
    {
        foreach (var (id, node) in nodes)
        {
            foreach (var pod in node.Kubelet.Pods)
            {
                if (pod.Name.Namespace == scope && pod.Name.Name == name && pod.Facts is { } facts)
                {
                    return new PodResolver(id, facts.ResolverFile);
                }
            }
        }
        throw new LabException($"pod {scope}/{name} is on no node of lab '{lab.Paths.Name}', or not yet");
    }
}
