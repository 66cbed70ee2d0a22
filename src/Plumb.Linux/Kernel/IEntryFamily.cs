using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>Kinds of entry that are read and written within one namespace, without regard to any other.</summary>
internal interface IEntryFamily
{
    bool Covers(EntryKind kind);

    /// <summary>Adds what the namespace holds of the asked kinds.</summary>
    /// <param name="kinds">Never empty; all are covered.</param>
    void Observe(KernelNamespace kernel, IReadOnlySet<EntryKind> kinds, ObservedState into);

    /// <summary>Makes all changes, in one transaction where the kernel has such; <paramref name="seam"/> is asked before each system call that writes.</summary>
    /// <exception cref="ApplyException">Names the entries that were refused.</exception>
    void Apply(KernelNamespace kernel, IReadOnlyList<DeltaItem> items, IWriteSeam seam);
}
