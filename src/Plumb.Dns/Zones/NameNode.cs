using Plumb.Dns.Wire;

namespace Plumb.Dns.Zones;

/// <summary>
/// One name that exists: because it has records, or because a longer name below it does (RFC 8020). What it holds is replaced as a whole, so that
/// a reader always has one state or the next in his hands.
/// </summary>
internal sealed class NameNode(byte[] name, NameNode? parent)
{
    private volatile NodeContent _content = NodeContent.Empty;

    /// <summary>In wire form and lower case.</summary>
    public byte[] Name { get; } = name;

    /// <summary>Null for the top of a zone, and for names that stand alone.</summary>
    public NameNode? Parent { get; } = parent;

    /// <summary>The top of the zone that the name is in; null for names that stand alone.</summary>
    public NameNode? Apex { get; } = parent is null ? null : parent.Apex ?? parent;

    public bool IsApex { get; init; }

    public NodeContent Content
    {
        get => _content;
        set => _content = value;
    }

    /// <summary>Names directly below; the writer's.</summary>
    public int Children { get; set; }

    public bool IsNeeded => IsApex || Children != 0 || !_content.IsEmpty;
}

/// <summary>What several sources give to one name, never changed once made. What an asker needs of it is put together when the first asks.</summary>
internal sealed class NodeContent(Part[] parts)
{
    private volatile RecordSet[]? _sets;

    public static NodeContent Empty { get; } = new([]);

    public bool IsEmpty => parts.Length == 0;

    /// <summary>All records of one type, each once; empty when there are none.</summary>
    public ReadOnlySpan<Record> Of(RecordType type)
    {
        foreach (var set in Sets)
        {
            if (set.Type == type)
            {
                return set.Records;
            }
        }
        return [];
    }

    /// <summary>In order of types.</summary>
    public RecordSet[] Sets => _sets ??= Collect();

    public NodeContent With(object source, Record[] records)
    {
        var kept = new List<Part>(parts.Length + 1);
        foreach (var part in parts)
        {
            if (!ReferenceEquals(part.Source, source))
            {
                kept.Add(part);
            }
        }
        if (records.Length != 0)
        {
            kept.Add(new Part(source, records));
        }
        return kept.Count == 0 ? Empty : new NodeContent([.. kept]);
    }

    private RecordSet[] Collect()
    {
        var sets = new SortedDictionary<RecordType, Dictionary<byte[], Record>>();
        foreach (var part in parts)
        {
            foreach (var record in part.Records)
            {
                if (!sets.TryGetValue(record.Type, out var set))
                {
                    sets[record.Type] = set = new Dictionary<byte[], Record>(NameComparer.Instance);
                }
                // Of two objects that say the same one is the cause, and which does not depend on who came first.
                var data = record.Data.ToArray();
                if (!set.TryGetValue(data, out var same) || record.Cause.CompareTo(same.Cause) < 0)
                {
                    set[data] = record;
                }
            }
        }
        var all = new RecordSet[sets.Count];
        var i = 0;
        foreach (var (type, records) in sets)
        {
            all[i++] = new RecordSet(type, [.. records.Values]);
        }
        return all;
    }
}

/// <summary>What one source gives to one name. Sources are compared as references.</summary>
internal readonly record struct Part(object Source, Record[] Records);

internal sealed record RecordSet(RecordType Type, Record[] Records);
