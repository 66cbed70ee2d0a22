using System.Text.Json.Nodes;
using Plumb.Api.Cel;
using Plumb.Api.Resources;

namespace Plumb.Api.Custom;

/// <summary>Members that a rule names and its schema does not have. Where the schema of a part is not known, nothing is said of it.</summary>
internal static class CelFieldCheck
{
    private static readonly string[] OfEveryObject = ["apiVersion", "kind", "metadata"];

    /// <exception cref="CelSyntaxException"/>
    public static void Check(CelNode rule, JsonObject schema, bool isRoot, bool isOldOptional)
    {
        var self = new Known(schema, isRoot);
        SchemaOf(rule, new Dictionary<string, Known?> { ["self"] = self, ["oldSelf"] = isOldOptional ? null : self });
    }

    private sealed record Known(JsonObject Schema, bool IsRoot);

    private static Known? SchemaOf(CelNode node, Dictionary<string, Known?> names)
    {
        switch (node)
        {
            case CelName name:
                return names.GetValueOrDefault(name.Name);
            case CelMember member:
                return MemberOf(SchemaOf(member.Of, names), member.Name, member.At);
            case CelHas has:
                SchemaOf(has.Member, names);
                return null;
            case CelIndex index:
                SchemaOf(index.Key, names);
                return ItemsOf(SchemaOf(index.Of, names));
            case CelMacro macro:
                var list = SchemaOf(macro.Of, names);
                var item = macro.Kind is "optMap" or "optFlatMap" ? list : list?.Schema["items"] is null && macro.Second is null ? null : ItemsOf(list);
                var inner = new Dictionary<string, Known?>(names) { [macro.Name] = macro.Second is null ? item : null };
                if (macro.Second is { } second)
                    inner[second] = item;
                if (macro.Filter is { } filter)
                    SchemaOf(filter, inner);
                SchemaOf(macro.Body, inner);
                return macro.Kind == "filter" ? list : null;
            default:
                foreach (var part in Parts(node))
                    SchemaOf(part, names);
                return null;
        }
    }

    private static IEnumerable<CelNode> Parts(CelNode node) => node switch
    {
        CelOperator pair => [pair.Left, pair.Right],
        CelPrefix prefix => [prefix.Of],
        CelChoice choice => [choice.If, choice.Then, choice.Else],
        CelList list => list.Items,
        CelMap map => map.Entries.SelectMany(static entry => (CelNode[])[entry.Key, entry.Value]),
        CelOptionalItem maybe => [maybe.Of],
        CelCall call => call.Of is null ? call.Arguments : call.Arguments.Prepend(call.Of),
        _ => [],
    };

    private static Known? MemberOf(Known? of, string name, int at)
    {
        if (of is null)
            return null;
        if (Fields.Find(Fields.Find(of.Schema, "properties"), name) is { } property)
            return new Known(property, IsRoot: false);
        if (of.IsRoot && OfEveryObject.Contains(name))
            return null;
        if (Fields.Find(of.Schema, "additionalProperties") is { } others)
            return new Known(others, IsRoot: false);
        if (Fields.Text(of.Schema, "type") != "object" || of.Schema["additionalProperties"] is not null || Fields.Flag(of.Schema, "x-kubernetes-preserve-unknown-fields") || Fields.Flag(of.Schema, "x-kubernetes-embedded-resource"))
            return null;
        throw new CelSyntaxException($"undefined field '{name}'", at);
    }

    private static Known? ItemsOf(Known? list) =>
        (Fields.Find(list?.Schema, "items") ?? Fields.Find(list?.Schema, "additionalProperties")) is { } items ? new Known(items, IsRoot: false) : null;
}
