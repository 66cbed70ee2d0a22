using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>
/// What nf_tables tells of tables that iptables tells too. The nft variant of iptables keeps its tables there, and the same chain twice would be a second one
/// that nobody planned: iptables' form is kept. But a table of such a name may also be somebody's own, made with nft; of that one iptables tells rules that are
/// not so (<c>-j ACCEPT</c> for what it does not understand), and nf_tables' form is kept.
/// </summary>
internal sealed class NftForms(ObservedState into, NamespaceId space, TableFamily family)
{
    private static readonly HashSet<string> BuiltIn = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

    private readonly HashSet<TableId> _own = OwnTables(into, space, family);
    private readonly HashSet<EntryKey> _twice = [];

    /// <summary>Whether an entry is as iptables tells it.</summary>
    public bool IsToldBy(Observed saved)
    {
        var table = saved.Entry switch
        {
            IptablesChainEntry chain => chain.Table,
            IptablesRuleEntry rule => rule.Table,
            _ => throw new ArgumentException($"{saved.Entry.Key} is not of iptables", nameof(saved)),
        };
        var id = new TableId(family, table.Name);
        if (saved.Entry is IptablesRuleEntry)
        {
            return true; // of a built-in chain, which no table of nft's own has
        }
        var form = new EntryKey(space, EntryKind.Chain, $"{id} {((IptablesChainEntry)saved.Entry).Name}");
        if (_own.Contains(id) && saved.Owner != Owner.Plumb && !(saved.Entry is IptablesChainEntry { IsBuiltIn: true } && into.Entries.ContainsKey(form)))
        {
            return false;
        }
        _twice.Add(form);
        if (!_own.Contains(id))
        {
            _twice.Add(new EntryKey(space, EntryKind.Table, id.ToString()));
        }
        return true;
    }

    /// <summary>Takes out what iptables has told.</summary>
    public void Forget()
    {
        foreach (var key in _twice)
        {
            into.Remove(key);
        }
    }

    private static HashSet<TableId> OwnTables(ObservedState into, NamespaceId space, TableFamily family)
    {
        var own = new HashSet<TableId>();
        foreach (var (key, observed) in into.Entries)
        {
            TableId? table = observed.Entry switch
            {
                ChainEntry { Base: not null } chain when !BuiltIn.Contains(chain.Name) => chain.Table,
                SetEntry set => set.Schema.Table,
                ObjectEntry item => item.Table,
                _ => null,
            };
            if (key.Namespace == space && table is { } id && id.Family == family)
            {
                own.Add(id);
            }
        }
        return own;
    }
}
