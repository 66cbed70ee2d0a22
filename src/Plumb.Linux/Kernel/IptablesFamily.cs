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
            if (!IsUsed(kernel, family, byNft) || Read(kernel, family) is not { } saved)
            {
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
        }
    }

    // The program sometimes meets somebody else's transaction. What it cannot tell at all is told by nf_tables, as far as it is there.
    private static IReadOnlyList<Observed>? Read(KernelNamespace kernel, IpFamily family)
    {
        const int attempts = 3;
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            try
            {
                return IptablesProgram.Save(kernel.Network, family) is { } saved ? IptablesSave.Read(saved, family, kernel.Id) : null;
            }
            catch (Exception failed) when (failed is IptablesException or FormatException)
            {
                // Tried again.
            }
        }
        return null;
    }

    public void Apply(KernelNamespace kernel, IReadOnlyList<DeltaItem> items, IWriteSeam seam)
    {
        var refusals = new List<Refusal>();
        foreach (var family in Families)
        {
            // The program makes its buffer as large as it needs where it may.
            var mostBytes = kernel.Netfilter.MayForceBuffer ? int.MaxValue : MostBytes;
            var restore = IptablesRestore.Of(items, family, mostBytes);
            if (restore.Text.Length == 0)
            {
                continue;
            }
            try
            {
                seam.BeforeWrite($"iptables-restore: {items.Count} changes");
                var complaint = IptablesProgram.Restore(kernel.Network, family, restore.Text, kernel.AddWriter);
                if (complaint is not null && restore.Edits)
                {
                    // Somebody else was there: what stands there now does not matter to who writes whole chains.
                    restore = IptablesRestore.Of(items, family, mostBytes, mayEdit: false);
                    complaint = IptablesProgram.Restore(kernel.Network, family, restore.Text, kernel.AddWriter);
                }
                if (complaint is not null)
                {
                    refusals.Add(new Refusal(restore.ItemIn(complaint) ?? items[0], complaint));
                }
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
        return LegacyTables(kernel, family).Length != 0;
    }

    private static unsafe string LegacyTables(KernelNamespace kernel, IpFamily family)
    {
        const int longest = 256;
        var path = $"/proc/thread-self/net/{(family == IpFamily.V4 ? "ip" : "ip6")}_tables_names";
        var descriptor = kernel.Network.Run(() => Libc.Open(path, Libc.O_CLOEXEC, 0));
        if (descriptor < 0)
        {
            return ""; // the kernel has no x_tables, or says only to administrators what is there
        }
        using var file = new FileDescriptor(descriptor);
        var buffer = stackalloc byte[longest];
        var length = Libc.Read(file.Number, buffer, longest);
        return length <= 0 ? "" : Encoding.ASCII.GetString(buffer, (int)length);
    }
}
