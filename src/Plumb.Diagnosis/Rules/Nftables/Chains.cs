using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>A table with what its rules refer to by name.</summary>
/// <param name="kernel">Where elements are asked for; null: they are among the entries.</param>
internal sealed class Table(TableId id, IElements? kernel)
{
    private readonly Dictionary<string, Chain> _chains = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SetEntry> _sets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Observed>> _elements = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ElementIndex> _indexes = new(StringComparer.Ordinal);
    private readonly Dictionary<AnonymousSet, ElementIndex> _anonymous = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, ObjectEntry> _objects = new(StringComparer.Ordinal);

    public TableId Id => id;

    public bool IsDormant { get; set; }

    public IReadOnlyDictionary<string, Chain> Chains => _chains;

    public void Add(Observed observed)
    {
        switch (observed.Entry)
        {
            case TableEntry table:
                IsDormant = (table.Flags & TableFlags.Dormant) != 0;
                break;
            case ChainEntry chain:
                _chains[chain.Name] = new Chain(this, chain);
                break;
            case SetEntry set:
                _sets[set.Schema.Name] = set;
                break;
            case ElementEntry element:
                if (!_elements.TryGetValue(element.Set.Name, out var list))
                {
                    _elements[element.Set.Name] = list = [];
                }
                list.Add(observed);
                break;
            case ObjectEntry item:
                _objects[item.Name] = item;
                break;
            default:
                break;
        }
    }

    public SetEntry? Set(string name) => _sets.GetValueOrDefault(name);

    public SetSchema? Schema(string name) => Set(name)?.Schema;

    public Expression? Object(string name) => _objects.GetValueOrDefault(name)?.Does;

    /// <summary>The elements of a set, indexed when it is first asked for; null: there is no such set.</summary>
    public ElementIndex? Elements(SetReference reference)
    {
        // Several packets may be walked at once over one state.
        lock (_indexes)
        {
            if (reference is AnonymousSet anonymous)
            {
                if (!_anonymous.TryGetValue(anonymous, out var inline))
                {
                    var items = new List<FoundElement>();
                    foreach (var element in anonymous.Elements)
                    {
                        items.Add(new FoundElement(element, null));
                    }
                    _anonymous[anonymous] = inline = new ElementIndex(anonymous.Schema, items);
                }
                return inline;
            }
            if (reference is not NamedSet { Name: var name } || !_sets.TryGetValue(name, out var set))
            {
                return null;
            }
            if (!_indexes.TryGetValue(name, out var index))
            {
                _indexes[name] = index = kernel is { } asked && !set.Schema.IsInterval && (set.Schema.Flags & SetFlags.Dynamic) == 0
                    ? new ElementIndex(set.Schema, key => asked.Find(set, key) is { } found ? Found(found) : null, () => [.. asked.All(set).Select(Found)])
                    : new ElementIndex(set.Schema, [.. (kernel?.All(set) ?? _elements.GetValueOrDefault(name) ?? []).Select(Found)]);
            }
            return index;
        }
    }

    private static FoundElement Found(Observed observed) => new(((ElementEntry)observed.Entry).Element, observed);
}

/// <summary>A chain, and its rules' texts for those that are shown.</summary>
internal sealed class Chain(Table table, ChainEntry entry)
{
    private readonly string?[] _texts = new string?[entry.Rules.Count];

    public Table Table => table;

    public ChainEntry Entry => entry;

    public ValueList<Rule> Rules => entry.Rules;

    public string Text(int rule) => _texts[rule] ??= RulesetText.Print(entry, entry.Rules[rule], table.Schema);
}
