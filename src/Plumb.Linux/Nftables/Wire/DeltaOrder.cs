using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>
/// A delta of one namespace's nf_tables, sorted into the order that the kernel accepts. What goes with its table or set is not
/// deleted by itself; what cannot be changed in place goes and comes.
/// </summary>
internal sealed class DeltaOrder
{
    private readonly HashSet<TableId> _goneTables = [];
    private readonly HashSet<(TableId, string)> _goneSets = [];

    public List<TableEntry> DeleteTables { get; } = [];

    public List<Desired> AddTables { get; } = [];

    public List<ChainEntry> Flush { get; } = [];

    public List<ElementEntry> DeleteElements { get; } = [];

    public List<ChainEntry> DeleteChains { get; } = [];

    public List<SetEntry> DeleteSets { get; } = [];

    public List<ObjectEntry> DeleteObjects { get; } = [];

    public List<Desired> AddObjects { get; } = [];

    public List<Desired> AddSets { get; } = [];

    public List<Desired> AddChains { get; } = [];

    public List<ChainEntry> AddRules { get; } = [];

    public List<(ElementEntry Entry, string? Comment)> AddElements { get; } = [];

    private readonly HashSet<EntryKey> _removed = [];

    /// <summary>Whether a chain, set or object goes for good.</summary>
    public bool IsRemoved(Entry entry) => _removed.Contains(entry.Key);

    /// <summary>Whether something comes in its place, or it only changes.</summary>
    public bool IsReplaced(Entry entry) => !IsRemoved(entry);

    public DeltaOrder(IReadOnlyList<DeltaItem> items)
    {
        foreach (var item in items)
        {
            if (item is { Want: null, Was: TableEntry table })
            {
                _goneTables.Add(table.Table);
                DeleteTables.Add(table);
            }
            else if (item.Was is SetEntry set)
            {
                _goneSets.Add((set.Schema.Table, set.Schema.Name));
            }
        }
        foreach (var item in items)
        {
            if (item is { Want: null, Was: ChainEntry or SetEntry or ObjectEntry })
            {
                _removed.Add(item.Key);
            }
            Sort(item);
        }
    }

    private void Sort(DeltaItem item)
    {
        switch ((Entry?)item.Want?.Entry ?? item.Was)
        {
            case TableEntry:
                if (item.Want is { } table)
                {
                    AddTables.Add(table);
                }
                break;
            case ObjectEntry:
                if (item.Was is ObjectEntry oldObject && !_goneTables.Contains(oldObject.Table))
                {
                    DeleteObjects.Add(oldObject);
                }
                AddIf(AddObjects, item.Want);
                break;
            case SetEntry:
                if (item.Was is SetEntry oldSet && !_goneTables.Contains(oldSet.Schema.Table))
                {
                    DeleteSets.Add(oldSet);
                }
                AddIf(AddSets, item.Want);
                break;
            case ChainEntry:
                SortChain(item);
                break;
            case ElementEntry:
                if (item.Was is ElementEntry oldElement
                    && !_goneTables.Contains(oldElement.Set.Table)
                    // A chain cannot go while an element leads there: such a one goes before its set, which goes after chains.
                    && (oldElement.Element.Verdict?.Chain is not null || !_goneSets.Contains((oldElement.Set.Table, oldElement.Set.Name))))
                {
                    DeleteElements.Add(oldElement);
                }
                if (item.Want is { Entry: ElementEntry element } desired)
                {
                    AddElements.Add((element, desired.Stamp?.Text));
                }
                break;
            default:
                throw new ArgumentException($"{item.Key} is no entry of nf_tables");
        }
    }

    private void SortChain(DeltaItem item)
    {
        var old = item.Was as ChainEntry;
        var isReplaced = old is not null && item.Want?.Entry is ChainEntry want && HookOf(old) != HookOf(want);
        if (old is not null && !_goneTables.Contains(old.Table))
        {
            Flush.Add(old);
            if (item.Want is null || isReplaced)
            {
                DeleteChains.Add(old);
            }
        }
        if (item.Want is { Entry: ChainEntry chain } desired)
        {
            // A chain that stays is named again: its policy may be another.
            AddChains.Add(desired);
            AddRules.Add(chain);
        }
    }

    private static BaseChain? HookOf(ChainEntry chain) => chain.Base is { } hooked ? hooked with { Policy = VerdictCode.Accept } : null;

    private static void AddIf(List<Desired> list, Desired? desired)
    {
        if (desired is not null)
        {
            list.Add(desired);
        }
    }
}
