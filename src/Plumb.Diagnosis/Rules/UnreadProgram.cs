using Plumb.Diagnosis.Packets;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules;

/// <summary>Stands where rules may be that could not be read: what they would do is not known.</summary>
internal sealed class UnreadProgram(EntryKey entry, string why) : IHookProgram
{
    public int Priority => int.MinValue;

    public bool IsNat => false;

    public IReadOnlyList<HookOutcome> Run(Packet packet, Connection? connection, HookPlace place) =>
        [new HookOutcome(1, Decision.Undecided, packet, connection, [new RuleStep(entry, 0, "rules of this host", $"cannot be read: {why}")])];

    /// <summary>Null: what rules there are has been read.</summary>
    public static UnreadProgram? Of(ObservedState state, NamespaceId space)
    {
        foreach (var ((id, kind), why) in state.Unread)
        {
            // Of iptables' nft variant nf_tables tells too.
            var isTold = kind is EntryKind.IptablesChain or EntryKind.IptablesRule
                && state.Entries.Values.Any(held => held.Entry is TableEntry table && table.Namespace == space && IptablesTable.IsIn(table.Table));
            if (id == space && !isTold)
            {
                return new UnreadProgram(new EntryKey(space, kind, "rules"), why);
            }
        }
        return null;
    }
}
