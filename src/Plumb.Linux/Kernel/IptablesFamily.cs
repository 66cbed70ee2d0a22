using System.Text;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Native;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>
/// iptables' tables of a namespace: read through <c>iptables-save</c>, one transaction for each table that changes. A namespace in which nobody uses iptables costs one question to the
/// kernel and no process.
/// </summary>
internal sealed class IptablesFamily : IEntryFamily
{
    // Of net.core.wmem_default, 212,992 on a stock machine; what a rule takes is only estimated.
    private const int MostBytes = 150_000;

    private static readonly IpFamily[] Families = [IpFamily.V4, IpFamily.V6];

    public bool Covers(EntryKind kind) => IptablesKernel.Handles(kind);

    public void Observe(KernelNamespace kernel, IReadOnlySet<EntryKind> kinds, ObservedState into)
    {
        var byNft = NftablesKernel.Tables(kernel.Netfilter, kernel.Id);
        foreach (var family in Families)
        {
            if (!IsUsed(kernel, family, byNft))
            {
                continue;
            }
            var (saved, trouble) = Read(kernel, family);
            if (trouble is not null)
            {
                // nf_tables tells of it in its way, as far as it is there.
                foreach (var kind in kinds)
                {
                    into.SetUnread(kernel.Id, kind, trouble);
                }
                continue;
            }
            var forms = new NftForms(into, kernel.Id, NftFamily(family));
            foreach (var observed in saved)
            {
                if (forms.IsToldBy(observed) && kinds.Contains(observed.Entry.Kind))
                {
                    into.Set(observed);
                }
            }
            forms.Forget();
            ObserveLegacyBeside(kernel, family, kinds, into);
        }
    }

    // Where the machine's variant is nft's, x_tables may be in use as well; packets meet both.
    private static void ObserveLegacyBeside(KernelNamespace kernel, IpFamily family, IReadOnlySet<EntryKind> kinds, ObservedState into)
    {
        if (IptablesKernel.LegacyTables(kernel.Network, family).Length == 0)
        {
            return;
        }
        try
        {
            if (IptablesProgram.IsLegacy(kernel.Network, family))
            {
                return;
            }
            foreach (var observed in IptablesSave.Read(IptablesProgram.SaveLegacy(kernel.Network, family), family, kernel.Id, legacyBeside: true))
            {
                if (kinds.Contains(observed.Entry.Kind))
                {
                    // Plumb writes by the machine's own variant alone.
                    into.Set(observed.Owner == Owner.Plumb ? observed with { Owner = Owner.Foreign } : observed);
                }
            }
        }
        catch (Exception failed) when (failed is IptablesException or FormatException)
        {
            foreach (var kind in kinds)
            {
                into.SetUnread(kernel.Id, kind, failed.Message);
            }
        }
    }

    // The program sometimes meets somebody else's transaction.
    private static (IReadOnlyList<Observed> Saved, string? Trouble) Read(KernelNamespace kernel, IpFamily family)
    {
        const int attempts = 3;
        var trouble = "";
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            try
            {
                return (IptablesSave.Read(IptablesProgram.Save(kernel.Network, family), family, kernel.Id), null);
            }
            catch (Exception failed) when (failed is IptablesException or FormatException)
            {
                trouble = failed.Message;
            }
        }
        return ([], trouble);
    }

    public void Apply(KernelNamespace kernel, IReadOnlyList<DeltaItem> items, IWriteSeam seam)
    {
        var refusals = new List<Refusal>();
        foreach (var family in Families)
        {
            try
            {
                Write(kernel, family, items.Where(item => IptablesRestore.TableOf(item)?.Family == family).ToList(), seam, refusals);
            }
            catch (IptablesException exception)
            {
                refusals.Add(new Refusal(items[0], exception.Message));
            }
        }
        if (refusals.Count != 0)
        {
            throw new ApplyException(refusals);
        }
    }

    /// <summary>
    /// What is refused is tried again from what stands there, if that is not what it was believed to be: somebody else was there, or some of the tables are done. A chain that the
    /// kernel keeps, because somebody else jumps there, is left empty; everything else is done.
    /// </summary>
    private static void Write(KernelNamespace kernel, IpFamily family, List<DeltaItem> items, IWriteSeam seam, List<Refusal> refusals)
    {
        const int mostAttempts = 10;
        // The program makes its buffer as large as it needs where it may.
        var mostBytes = kernel.Netfilter.MayForceBuffer ? int.MaxValue : MostBytes;
        var restore = IptablesRestore.Of(items, family, mostBytes);
        for (var attempt = 1; restore.Text.Length != 0; attempt++)
        {
            seam.BeforeWrite($"iptables-restore: {items.Count} changes");
            if (IptablesProgram.Restore(kernel.Network, family, restore.Text, id => kernel.AddWriter((uint)id), id => kernel.EndWriter((uint)id)) is not { } complaint)
            {
                return;
            }
            var refused = restore.ItemIn(complaint);
            var (seen, trouble) = Read(kernel, family);
            items = trouble is null ? StillToDo(items, seen) : items;
            var next = IptablesRestore.Of(items, family, mostBytes, removesLast: true);
            var isNew = next.Text != restore.Text;
            if (!isNew && refused is { Want: null, Was: IptablesChainEntry } && !IptablesRestore.IsMark(refused))
            {
                refusals.Add(new Refusal(refused, complaint));
                items = [.. items.Where(item => item.Key != refused.Key && !IsMarkOf(item, refused))];
                next = IptablesRestore.Of(items, family, mostBytes, removesLast: true);
            }
            else if (!isNew || attempt == mostAttempts)
            {
                refusals.Add(new Refusal(refused ?? items[0], complaint));
                return;
            }
            restore = next;
        }
    }

    // What says whose a chain is stays as long as the chain.
    private static bool IsMarkOf(DeltaItem item, DeltaItem chain) =>
        item.Want is null && IptablesRestore.IsMark(item) && IptablesRestore.TableOf(item) == IptablesRestore.TableOf(chain);

    /// <summary>The changes that are not yet made, from what is there.</summary>
    private static List<DeltaItem> StillToDo(List<DeltaItem> items, IReadOnlyList<Observed> seen)
    {
        var there = seen.ToDictionary(static one => one.Entry.Key, static one => one.Entry);
        var left = new List<DeltaItem>(items.Count);
        foreach (var item in items)
        {
            var now = there.GetValueOrDefault(item.Key);
            if (item.Want is { } want ? now is null || !want.Entry.IsSatisfiedBy(now) : now is not null)
            {
                left.Add(item with { Was = now });
            }
        }
        return left;
    }

    private static TableFamily NftFamily(IpFamily family) => family == IpFamily.V4 ? TableFamily.Ip : TableFamily.Ip6;

    // The nft variant keeps its tables in nf_tables, the older one in x_tables, which says which ones were used.
    private static bool IsUsed(KernelNamespace kernel, IpFamily family, IReadOnlyList<TableId> byNft)
    {
        foreach (var table in byNft)
        {
            if (table.Family == NftFamily(family) && IptablesTable.Names.Contains(table.Name))
            {
                return true;
            }
        }
        return IptablesKernel.LegacyTables(kernel.Network, family).Length != 0;
    }
}
