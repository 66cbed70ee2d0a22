using Plumb.Output;

namespace Plumb.Whatif;

/// <summary>A result as a person reads it: what would break first, then what else would be otherwise, the entries last.</summary>
internal static class WhatifText
{
    private const int MostSources = 3;
    private const int MostEntries = 20;

    public static void Write(WhatifResult result, TextWriter to, Style style)
    {
        foreach (var line in result.Objects)
        {
            to.WriteLine(style.Strong(line));
        }
        foreach (var one in result.Connections)
        {
            to.WriteLine($"{Word(one.Effect, style)}  {one.Connection}  of {one.Source}");
            Detail(one.Before, one.After, one.Cause, null, to, style);
        }
        foreach (var one in result.Pairs)
        {
            to.WriteLine($"{Word(one.Effect, style)}  {Named(one.Sources)} → {one.Target} ({one.Address})");
            Detail(one.Before, one.After, one.Cause, one.NearMiss, to, style);
        }
        foreach (var node in result.Nodes)
        {
            to.WriteLine(style.Strong($"# {node.Node}: {node.Entries.Count} {(node.Entries.Count == 1 ? "entry" : "entries")}"));
            foreach (var entry in node.Entries.Take(MostEntries))
            {
                Entry(entry, node.Node, to, style);
            }
            if (node.Entries.Count > MostEntries)
            {
                to.WriteLine(style.Quiet($"  and {node.Entries.Count - MostEntries} more; -o json has them all"));
            }
        }
        foreach (var note in result.Notes)
        {
            to.WriteLine(style.Warning(note));
        }
        var changes = result.Nodes.Sum(static node => node.Entries.Count);
        var breaks = result.Connections.Count(static one => one.Effect == Effect.Breaks);
        to.WriteLine(style.Quiet(
            $"{changes} entries on {result.Nodes.Count} nodes; {result.Walked.Connections} connections and {result.Walked.Pairs} pairs walked before and after: "
            + (result.Breaks ? $"{breaks} connections and {result.Pairs.Where(static one => one.Effect == Effect.Breaks).Sum(static one => one.Sources.Count)} pairs would break" : "nothing that works would break")));
    }

    private static string Word(Effect effect, Style style) => effect switch
    {
        Effect.Breaks => style.Bad("breaks"),
        Effect.Opens => style.Good("opens "),
        _ => style.Warning("moves "),
    };

    private static void Detail(string before, string after, string? cause, string? nearMiss, TextWriter to, Style style)
    {
        to.WriteLine($"    now   {before}");
        to.WriteLine($"    then  {after}{(cause is null ? "" : $"    {cause}")}");
        if (nearMiss is not null)
        {
            to.WriteLine(style.Warning($"          {nearMiss}"));
        }
    }

    private static void Entry(ChangedEntry entry, string node, TextWriter to, Style style)
    {
        var place = entry.Namespace == node ? "" : $"{entry.Namespace}: ";
        if (entry.Was is { } was)
        {
            Lines("-", place, was, "", to, style.Bad);
        }
        var causes = entry.Causes.Count == 0 ? "" : $"    # {entry.Causes[0]}{(entry.Causes.Count > 1 ? $" and {entry.Causes.Count - 1} more" : "")}";
        // Where only the cause is another the entry reads as before.
        var sign = entry.Change == "~" && entry.Was is not null ? "+" : entry.Change;
        Lines(sign, place, entry.Text, causes, to, sign == "-" ? style.Bad : sign == "+" ? style.Good : style.Quiet);
    }

    // A chain has several.
    private static void Lines(string sign, string place, string text, string causes, TextWriter to, Func<string, string> paint)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            to.WriteLine(paint($"  {sign} {place}{line.TrimEnd()}{causes}"));
            causes = "";
        }
    }

    private static string Named(IReadOnlyList<string> sources) =>
        sources.Count <= MostSources ? string.Join(", ", sources) : $"{string.Join(", ", sources.Take(MostSources))} and {sources.Count - MostSources} more";
}
