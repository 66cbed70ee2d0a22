using System.Text;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Text;

/// <summary>Tables, chains, sets and objects as <c>nft list ruleset</c> of version 1.0.6 prints them.</summary>
public static class RulesetText
{
    private const string NewElementLine = ",\n\t\t\t     ";

    /// <summary>Everything of nf_tables in one namespace's state, in the order in which it was observed.</summary>
    /// <remarks>Entries of other kinds are passed over; those of other namespaces should not be there.</remarks>
    public static string Print(IEnumerable<Observed> entries) =>
        Print(entries.Select(observed => (observed.Entry, observed.Stamp)));

    /// <summary>The same of what is planned.</summary>
    public static string Print(IEnumerable<Desired> entries) => Print(entries.Select(desired => (desired.Entry, desired.Stamp)));

    private static string Print(IEnumerable<(Entry Entry, Stamp? Stamp)> entries)
    {
        var tables = new Ruleset();
        foreach (var (entry, stamp) in entries)
        {
            tables.Add(entry, stamp?.Text);
        }
        return tables.Print();
    }

    /// <summary>
    /// An entry in one piece: as <see cref="Entry.Print"/>, but a chain's rules name what they look up in sets as nft does, for which those sets must be
    /// at hand.
    /// </summary>
    /// <param name="others">The entries beside it; null: not there.</param>
    public static string Print(Entry entry, Func<EntryKey, Entry?> others)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(others);
        if (entry is not ChainEntry chain)
        {
            return entry.Print();
        }
        var text = new StringBuilder();
        AppendChain(
            text, chain, comment: null, name => (others(new EntryKey(chain.Namespace, EntryKind.Set, $"{chain.Table} {name}")) as SetEntry)?.Schema, "");
        return text.ToString().TrimEnd('\n');
    }

    /// <summary>One rule of a chain, on one line.</summary>
    /// <param name="schemas">Finds a set of the chain's table by name.</param>
    public static string Print(ChainEntry chain, Rule rule, Func<string, SetSchema?> schemas)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(rule);
        return RuleText.Of(chain.Table.Family, rule, schemas);
    }

    internal static string Chain(ChainEntry chain, string? comment)
    {
        var text = new StringBuilder();
        AppendChain(text, chain, comment, static _ => null, "");
        return text.ToString().TrimEnd('\n');
    }

    internal static void AppendChain(StringBuilder text, ChainEntry chain, string? comment, Func<string, SetSchema?> schemas, string indent)
    {
        text.Append(indent).Append("chain ").Append(chain.Name).Append(" {\n");
        if (comment is not null)
        {
            text.Append(indent).Append("\tcomment \"").Append(comment).Append("\"\n");
        }
        if (chain.Base is { } hooked)
        {
            AppendHook(text.Append(indent).Append('\t'), chain.Table.Family, hooked);
        }
        foreach (var rule in chain.Rules)
        {
            text.Append(indent).Append('\t').Append(RuleText.Of(chain.Table.Family, rule, schemas)).Append('\n');
        }
        text.Append(indent).Append("}\n");
    }

    private static void AppendHook(StringBuilder text, TableFamily family, BaseChain hooked)
    {
        text.Append("type ").Append(hooked.Type.ToString().ToLowerInvariant()).Append(" hook ").Append(hooked.Hook.ToString().ToLowerInvariant());
        if (hooked.Devices.Count == 1)
        {
            text.Append(" device \"").Append(hooked.Devices[0]).Append('"');
        }
        else if (hooked.Devices.Count > 1)
        {
            text.Append(" devices = { ").AppendJoin(", ", hooked.Devices.Select(name => $"\"{name}\"")).Append(" }");
        }
        text.Append(" priority ").Append(PriorityText.Of(family, hooked.Hook, hooked.Priority));
        text.Append("; policy ").Append(hooked.Policy == VerdictCode.Drop ? "drop" : "accept").Append(";\n");
    }

    internal static string SetDeclaration(SetEntry set)
    {
        var text = new StringBuilder();
        AppendSet(text, set, comment: null, [], "");
        return text.ToString().TrimEnd('\n');
    }

    internal static void AppendSet(
        StringBuilder text, SetEntry set, string? comment, IReadOnlyList<(SetElement Element, string? Comment)> elements, string indent)
    {
        var schema = set.Schema;
        text.Append(indent).Append(set.IsMap ? "map " : "set ").Append(schema.Name).Append(" {\n");
        var inner = indent + "\t";
        AppendTypes(text.Append(inner), schema);
        if (set.Size is { } size)
        {
            text.Append(inner).Append("size ").Append(size).Append('\n');
        }
        AppendFlags(text, schema.Flags, inner);
        if (set.Statements.Count > 0)
        {
            text.Append(inner).AppendJoin(' ', set.Statements.AsSpan().ToArray().Select(StatementWithoutState)).Append('\n');
        }
        if (set.TimeoutMilliseconds is { } timeout)
        {
            ValueText.AppendTime(text.Append(inner).Append("timeout "), timeout);
            text.Append('\n');
        }
        if (set.GarbageCollectionMilliseconds is { } interval)
        {
            ValueText.AppendTime(text.Append(inner).Append("gc-interval "), interval);
            text.Append('\n');
        }
        if (set.AutoMerge)
        {
            text.Append(inner).Append("auto-merge\n");
        }
        if (comment is not null)
        {
            text.Append(inner).Append("comment \"").Append(comment).Append("\"\n");
        }
        if (elements.Count > 0)
        {
            text.Append(inner).Append("elements = { ");
            var perLine = ElementsPerLine(schema);
            for (var i = 0; i < elements.Count; i++)
            {
                text.Append(i == 0 ? "" : i % perLine == 0 ? NewElementLine : ", ");
                ElementText.Append(text, schema, elements[i].Element, elements[i].Comment);
            }
            text.Append(" }\n");
        }
        text.Append(indent).Append("}\n");
    }

    private static string StatementWithoutState(Expression expression) => expression is CounterExpression ? "counter" : StatementText.Of(expression);

    private static void AppendTypes(StringBuilder text, SetSchema schema)
    {
        var data = schema.Data as MapData.Fields;
        var byTypeof = IsTypeof(schema.Key) && (data is null || IsTypeof(data.Items));
        text.Append(byTypeof ? "typeof " : "type ");
        AppendFields(text, schema.Key, byTypeof);
        switch (schema.Data)
        {
            case MapData.Fields { Items: var items }:
                AppendFields(text.Append(" : "), items, byTypeof);
                break;
            case MapData.Verdicts:
                text.Append(" : verdict");
                break;
            case MapData.Objects { Kind: var kind }:
                text.Append(" : ").Append(ObjectKindName(kind));
                break;
            default:
                break;
        }
        text.Append('\n');
    }

    private static bool IsTypeof(ValueList<SetField> fields)
    {
        foreach (var field in fields)
        {
            if (field.Typeof is null)
            {
                return false;
            }
        }
        return true;
    }

    private static void AppendFields(StringBuilder text, ValueList<SetField> fields, bool byTypeof)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            text.Append(i == 0 ? "" : " . ").Append(byTypeof ? fields[i].Typeof!.Text : fields[i].Type.Name);
        }
    }

    private static void AppendFlags(StringBuilder text, SetFlags flags, string indent)
    {
        var names = new List<string>();
        AddIf(SetFlags.Constant, "constant");
        AddIf(SetFlags.Dynamic, "dynamic");
        AddIf(SetFlags.Interval, "interval");
        AddIf(SetFlags.Timeout, "timeout");
        if (names.Count > 0)
        {
            text.Append(indent).Append("flags ").AppendJoin(',', names).Append('\n');
        }

        void AddIf(SetFlags flag, string name)
        {
            if ((flags & flag) != 0)
            {
                names.Add(name);
            }
        }
    }

    // How many nft puts on a line depends on how long values of the type may be.
    private static int ElementsPerLine(SetSchema schema)
    {
        if (schema.IsConcatenation)
        {
            return 1;
        }
        var type = schema.Key[0].Type;
        if (type == DataType.Ipv4Address || type == DataType.ConntrackState || type == DataType.ConntrackStatus
            || type == DataType.ConntrackDirection || type == DataType.PacketType)
        {
            return 2;
        }
        return type == DataType.Port || type == DataType.IpProtocol || type == DataType.Mark || type == DataType.ClassId || type == DataType.UserId
            || type == DataType.GroupId || type == DataType.ArpOperation || type == DataType.TcpFlag || type == DataType.NetfilterProtocol
            || type == DataType.Integer
            ? 5
            : 1;
    }

    internal static string ObjectKindName(ObjectKind kind) => kind switch
    {
        ObjectKind.Counter => "counter",
        ObjectKind.Quota => "quota",
        ObjectKind.ConntrackHelper => "ct helper",
        ObjectKind.Limit => "limit",
        ObjectKind.ConntrackTimeout => "ct timeout",
        ObjectKind.SecurityMark => "secmark",
        ObjectKind.ConntrackExpectation => "ct expectation",
        ObjectKind.SynProxy => "synproxy",
        _ => $"object{(uint)kind}",
    };

    internal static string Object(ObjectEntry entry, string? comment)
    {
        var text = new StringBuilder();
        AppendObject(text, entry, comment, "");
        return text.ToString().TrimEnd('\n');
    }

    internal static void AppendObject(StringBuilder text, ObjectEntry entry, string? comment, string indent)
    {
        text.Append(indent).Append(ObjectKindName(entry.ObjectKind)).Append(' ').Append(entry.Name).Append(" {\n");
        if (comment is not null)
        {
            text.Append(indent).Append("\tcomment \"").Append(comment).Append("\"\n");
        }
        text.Append(indent).Append('\t').Append(entry.Does switch
        {
            CounterExpression counter => $"packets {counter.Packets} bytes {counter.Bytes}",
            QuotaExpression quota => StatementText.Quota(quota),
            LimitExpression limit => StatementText.Limit(limit)["limit ".Length..],
            var other => StatementText.Of(other),
        }).Append('\n');
        text.Append(indent).Append("}\n");
    }
}
