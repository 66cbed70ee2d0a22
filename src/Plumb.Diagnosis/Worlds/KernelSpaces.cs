using System.Collections.Concurrent;
using Plumb.Linux.Kernel;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Worlds;

/// <summary>Namespaces of kernels that run, each as it was when it was first asked for, by whichever thread.</summary>
public sealed class KernelSpaces(Kernels kernels)
{
    private readonly ConcurrentDictionary<NamespaceId, Lazy<Space>> _spaces = [];

    /// <summary>Null: the kernels do not know it.</summary>
    public Space? Find(NamespaceId id) =>
        kernels.Knows(id) ? _spaces.GetOrAdd(id, static (id, kernels) => new Lazy<Space>(() => KernelSource.Observe(kernels, id)), kernels).Value : null;
}
