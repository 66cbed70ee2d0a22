using System.Text;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Network.Planning;

/// <summary>A plan as text: entries as <c>ip</c> and <c>nft</c> show them, by namespace, each with what caused it.</summary>
public static class PlanText
{
    private const int CauseColumn = 88;

    /// <summary>All of it, in a fixed order: what golden tests compare and people read.</summary>
    /// <param name="shows">Which entries; null: all. Conflicts and refusals are always told.</param>
    public static string Dump(DesiredIndex index, Func<Entry, bool>? shows = null)
    {
        ArgumentNullException.ThrowIfNull(index);
        var text = new StringBuilder();
        var inNamespace = default(NamespaceId);
        foreach (var desired in Sorted(index))
        {
            var entry = desired.Entry;
            if (shows is not null && !shows(entry))
            {
                continue;
            }
            if (entry.Namespace != inNamespace)
            {
                inNamespace = entry.Namespace;
                text.Append(text.Length == 0 ? "" : "\n").Append("namespace ").Append(inNamespace.Name).Append('\n');
            }
            AppendEntry(text, Printed(entry, index), Causes(index.Why(entry.Key)));
        }
        foreach (var conflict in index.Conflicts())
        {
            text.Append("\nconflict ").Append(conflict).Append('\n');
        }
        foreach (var refusal in index.Refusals())
        {
            text.Append("\nrefused ").Append(refusal).Append('\n');
        }
        return text.ToString();
    }

    internal static IEnumerable<Desired> Sorted(DesiredIndex index)
    {
        var all = index.State.Entries.Values.ToArray();
        Array.Sort(all, static (left, right) => left.Entry.Key.CompareTo(right.Entry.Key));
        return all;
    }

    // `nft list` shows chains and sets inside their table; alone they need its name.
    private static string Printed(Entry entry, DesiredIndex index)
    {
        var text = Print(entry, index);
        if (entry.Kind is not (EntryKind.Chain or EntryKind.Set))
        {
            return text;
        }
        var kindEnd = text.IndexOf(' ', StringComparison.Ordinal);
        return $"{text[..kindEnd]} {entry.Key.Name} {text[text.IndexOf('{', StringComparison.Ordinal)..]}";
    }

    internal static string Print(Entry entry, DesiredIndex index) =>
        RulesetText.Print(entry, key => index.State.Entries.GetValueOrDefault(key)?.Entry);

    private static void AppendEntry(StringBuilder text, string printed, string causes)
    {
        var lineEnd = printed.IndexOf('\n', StringComparison.Ordinal);
        var first = lineEnd < 0 ? printed : printed[..lineEnd];
        text.Append("  ").Append(first.PadRight(CauseColumn)).Append("  # ").Append(causes).Append('\n');
        while (lineEnd >= 0)
        {
            var start = lineEnd + 1;
            lineEnd = printed.IndexOf('\n', start);
            var line = (lineEnd < 0 ? printed[start..] : printed[start..lineEnd]).TrimEnd();
            if (line.Length != 0)
            {
                text.Append("  ").Append(line).Append('\n');
            }
        }
    }

    private static string Causes(IReadOnlyList<Origin> causes)
    {
        const int shown = 3;
        var named = string.Join(", ", causes.Take(shown));
        return causes.Count > shown ? $"{named} and {causes.Count - shown} more" : named;
    }
}
