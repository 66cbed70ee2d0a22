using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>
/// What must go and come back with a set or object that is made anew, because the kernel cannot change it in place: a set's
/// elements, and the rules that hold on to it.
/// </summary>
internal static class Dependents
{
    public static bool AreNeeded(IReadOnlyList<DeltaItem> items)
    {
        foreach (var item in items)
        {
            if (item is { Was: SetEntry or ObjectEntry, Want: not null })
            {
                return true;
            }
        }
        return false;
    }

    public static List<DeltaItem> Add(IReadOnlyList<DeltaItem> items, IReadOnlyList<Observed> holds)
    {
        var remade = new HashSet<(TableId, string)>();
        var stated = new HashSet<EntryKey>();
        foreach (var item in items)
        {
            stated.Add(item.Key);
            if (item is { Was: SetEntry set, Want: not null })
            {
                remade.Add((set.Schema.Table, set.Schema.Name));
            }
            else if (item is { Was: ObjectEntry entry, Want: not null })
            {
                remade.Add((entry.Table, entry.Name));
            }
        }
        var all = new List<DeltaItem>(items);
        foreach (var observed in holds)
        {
            if (stated.Contains(observed.Entry.Key))
            {
                continue;
            }
            switch (observed.Entry)
            {
                case ElementEntry element when remade.Contains((element.Set.Table, element.Set.Name)):
                    all.Add(new DeltaItem(new Desired(element, observed.Stamp), null));
                    break;
                case ElementEntry { Element.ObjectName: { } name } element when remade.Contains((element.Set.Table, name)):
                    all.Add(new DeltaItem(new Desired(element, observed.Stamp), element));
                    break;
                case ChainEntry chain when Uses(chain, remade):
                    all.Add(new DeltaItem(new Desired(chain, observed.Stamp), chain));
                    break;
                default:
                    break;
            }
        }
        return all;
    }

    private static bool Uses(ChainEntry chain, HashSet<(TableId, string)> remade)
    {
        foreach (var rule in chain.Rules)
        {
            foreach (var expression in rule.Expressions)
            {
                var name = expression switch
                {
                    LookupExpression lookup => NameOf(lookup.Set),
                    DynamicSetExpression dynamic => NameOf(dynamic.Set),
                    ObjectReferenceExpression reference => reference.ObjectName ?? NameOf(reference.Map),
                    _ => null,
                };
                if (name is not null && remade.Contains((chain.Table, name)))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private static string? NameOf(SetReference? set) => (set as NamedSet)?.Name;
}
