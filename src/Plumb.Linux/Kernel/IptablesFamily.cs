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
            if (!IsUsed(kernel, family, byNft) || IptablesProgram.Save(kernel.Network, family) is not { } saved)
            {
                continue;
            }
            var told = new HashSet<TableId>();
            foreach (var observed in IptablesSave.Read(saved, family, kernel.Id))
            {
                if (observed.Entry is IptablesChainEntry { Table.Name: var name })
                {
                    told.Add(new TableId(NftFamily(family), name));
                }
                if (kinds.Contains(observed.Entry.Kind))
                {
                    into.Set(observed);
                }
            }
            ForgetNftForm(kernel.Id, told, into);
        }
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

    // What iptables tells of a table is all of it: the same once more as nf_tables sees it would be a second thing that nobody planned.
    private static void ForgetNftForm(NamespaceId space, HashSet<TableId> told, ObservedState into)
    {
        if (told.Count == 0)
        {
            return;
        }
        var twice = new List<EntryKey>();
        foreach (var (key, observed) in into.Entries)
        {
            if (key.Namespace == space && NftablesKernel.Handles(key.Kind) && TableOf(observed.Entry) is { } table && told.Contains(table))
            {
                twice.Add(key);
            }
        }
        twice.ForEach(key => into.Remove(key));
    }

    private static TableId? TableOf(Entry entry) => entry switch
    {
        TableEntry table => table.Table,
        ChainEntry chain => chain.Table,
        SetEntry set => set.Schema.Table,
        ElementEntry element => element.Set.Table,
        ObjectEntry item => item.Table,
        _ => null,
    };
}
