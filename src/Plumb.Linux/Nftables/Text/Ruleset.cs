using System.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Text;

/// <summary>Entries put together by table, to be printed.</summary>
internal sealed class Ruleset
{
    private readonly List<TableId> _order = [];
    private readonly Dictionary<TableId, Content> _tables = [];

    public void Add(Entry entry, string? comment)
    {
        switch (entry)
        {
            case TableEntry table:
                var content = Of(table.Table);
                content.Flags = table.Flags;
                content.Comment = comment;
                break;
            case ObjectEntry item:
                Of(item.Table).Objects.Add((item, comment));
                break;
            case SetEntry set:
                Of(set.Schema.Table).Sets.Add((set, comment));
                break;
            case ElementEntry element:
                var elements = Of(element.Set.Table).Elements;
                if (!elements.TryGetValue(element.Set.Name, out var list))
                {
                    elements[element.Set.Name] = list = [];
                }
                list.Add((element.Element, comment));
                break;
            case ChainEntry chain:
                Of(chain.Table).Chains.Add((chain, comment));
                break;
            default:
                break;
        }
    }

    public string Print()
    {
        var text = new StringBuilder();
        foreach (var id in _order)
        {
            _tables[id].Print(text, id);
        }
        return text.ToString();
    }

    private Content Of(TableId id)
    {
        if (!_tables.TryGetValue(id, out var content))
        {
            _tables[id] = content = new Content();
            _order.Add(id);
        }
        return content;
    }

    private sealed class Content
    {
        public TableFlags Flags { get; set; }

        public string? Comment { get; set; }

        public List<(ObjectEntry Entry, string? Comment)> Objects { get; } = [];

        public List<(SetEntry Entry, string? Comment)> Sets { get; } = [];

        public Dictionary<string, List<(SetElement Element, string? Comment)>> Elements { get; } = [];

        public List<(ChainEntry Entry, string? Comment)> Chains { get; } = [];

        public void Print(StringBuilder text, TableId id)
        {
            text.Append("table ").Append(id).Append(" {\n");
            var gap = "";
            if (Flags != TableFlags.None)
            {
                text.Append("\tflags ").Append(FlagNames(Flags)).Append('\n');
                gap = "\n";
            }
            if (Comment is not null)
            {
                text.Append("\tcomment \"").Append(Comment).Append("\"\n");
                gap = "";
            }
            foreach (var (entry, comment) in Objects)
            {
                RulesetText.AppendObject(text.Append(gap), entry, comment, "\t");
                gap = "\n";
            }
            foreach (var (entry, comment) in Sets)
            {
                var elements = Elements.TryGetValue(entry.Schema.Name, out var list) ? Sorted(list, entry.Schema) : [];
                RulesetText.AppendSet(text.Append(gap), entry, comment, elements, "\t");
                gap = "\n";
            }
            foreach (var (entry, comment) in Chains)
            {
                RulesetText.AppendChain(text.Append(gap), entry, comment, Schema, "\t");
                gap = "\n";
            }
            text.Append("}\n");
        }

        private SetSchema? Schema(string name)
        {
            foreach (var (entry, _) in Sets)
            {
                if (entry.Schema.Name == name)
                {
                    return entry.Schema;
                }
            }
            return null;
        }

        private static List<(SetElement, string?)> Sorted(List<(SetElement Element, string? Comment)> elements, SetSchema schema)
        {
            if (schema is not { IsInterval: true, IsConcatenation: true })
            {
                elements.Sort((a, b) => SetElement.CompareAsListed(a.Element, b.Element, schema));
            }
            return elements;
        }

        private static string FlagNames(TableFlags flags)
        {
            List<string> names = [];
            if ((flags & TableFlags.Dormant) != 0)
            {
                names.Add("dormant");
            }
            if ((flags & TableFlags.Owner) != 0)
            {
                names.Add("owner");
            }
            if ((flags & TableFlags.Persist) != 0)
            {
                names.Add("persist");
            }
            return string.Join(',', names);
        }
    }
}
