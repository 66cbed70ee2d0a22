using System.Globalization;
using System.Text;

namespace Plumb.Api.Tests.Replay;

/// <summary>The part of docs/api.md that says how far we agree with a real server. Made here, so that it cannot grow old.</summary>
internal static class SharePage
{
    private const string Begin = "<!-- made by ReplayTests: begin -->";
    private const string End = "<!-- made by ReplayTests: end -->";

    public static void Hold(List<(string File, bool Agrees)> lines, KnownDifferences known) => DocsPart.Hold("api.md", Begin, End, Write(lines, known));

    private static string Write(List<(string File, bool Agrees)> lines, KnownDifferences known)
    {
        var text = new StringBuilder("| recorded | lines | agree | differ | not served |\n| --- | ---: | ---: | ---: | ---: |\n");
        var unserved = known.Reasons.Where(static reason => reason.Reason.StartsWith("Not served", StringComparison.Ordinal)).SelectMany(static reason => reason.Ids).ToHashSet();
        foreach (var group in lines.GroupBy(static line => line.File).Append(null))
        {
            var name = group?.Key ?? "all";
            var all = group?.ToList() ?? lines;
            var agree = all.Count(static line => line.Agrees);
            var missing = unserved.Count(id => group is null || id.StartsWith(name + "/", StringComparison.Ordinal));
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {all.Count} | {agree} ({100.0 * agree / all.Count:0.0} %) | {all.Count - agree - missing} | {missing} |\n");
        }

        text.Append("\nWhere answers differ, and why:\n\n");
        foreach (var (reason, ids) in known.Reasons)
            text.Append(CultureInfo.InvariantCulture, $"- {reason} ({string.Join(", ", ids.Select(static id => $"`{id.Replace('|', '/')}`"))})\n");
        return text.ToString();
    }
}
