using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>nf_tables of a namespace: one transaction for all of its changes, or several where they outgrow the send buffer.</summary>
internal sealed class NftablesFamily : IEntryFamily
{
    public bool Covers(EntryKind kind) => NftablesKernel.Handles(kind);

    public void Observe(KernelNamespace kernel, IReadOnlySet<EntryKind> kinds, ObservedState into)
    {
        var all = kinds.Contains(EntryKind.Element) ? NftablesKernel.Observe(kernel.Netfilter, kernel.Id) : NftablesKernel.ObserveRules(kernel.Netfilter, kernel.Id);
        foreach (var observed in all)
        {
            if (kinds.Contains(observed.Entry.Kind))
            {
                into.Set(observed);
            }
        }
    }

    public void Apply(KernelNamespace kernel, IReadOnlyList<DeltaItem> items, IWriteSeam seam)
    {
        try
        {
            NftablesKernel.Apply(kernel.Netfilter, items, tooLarge: TooLarge.SplitElements, seam: seam);
        }
        catch (NftablesException exception)
        {
            throw new ApplyException([new Refusal(items.FirstOrDefault(item => item.Key == exception.Entry) ?? items[0], exception.Message)]);
        }
    }
}
