using Plumb.Agent.Asking;
using Plumb.Dns.Answering;
using Plumb.Lab;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb explain dns NAME`: what a name comes to for a pod, by which entry of its search path, and which object is behind it.</summary>
internal static class DnsQuestion
{
    // Of several answers, those that stand in the first line; all are listed below it.
    private const int MostNamed = 4;

    /// <param name="node">Whose agent is asked.</param>
    /// <param name="asker"><c>NAMESPACE/POD</c>; null: nobody, and the name is asked for as it is.</param>
    /// <param name="resolver">The asker's /etc/resolv.conf.</param>
    /// <param name="type">Of the record: A, AAAA, SRV …</param>
    /// <returns>Null: the agent knows of no names.</returns>
    /// <exception cref="LabException">It is no name.</exception>
    public static DnsResult? Ask(AgentClient agent, string node, string? asker, string resolver, string name, string type)
    {
        var path = SearchPath.Parse(resolver);
        return agent.Names(name, path, type) is { } report ? Answer(report, type, asker, node, path) : null;
    }

    /// <param name="asker"><c>NAMESPACE/POD</c>; null: nobody.</param>
    /// <exception cref="LabException">It is no name.</exception>
    public static DnsResult Answer(NameReport report, string type, string? asker, string node, SearchPath path) =>
        report.Tried.Count == 0
            ? throw new LabException($"'{report.Name}' is no domain name: labels of 1 to 63 bytes between dots, 255 bytes in all")
            : new DnsResult(report.Name, type, asker, node, path.Servers, [.. Search(path)], path.Dots, report.Tried);

    private static IEnumerable<string> Search(SearchPath path) => path.Search.Select(static entry => entry.ToString().TrimEnd('.'));

    /// <summary>The way by which a name was found, and what is at its end: one answer, or several of which a client may take any.</summary>
    internal static string Summary(string typed, TriedName found)
    {
        var way = new List<string> { typed };
        var answers = new List<string>();
        foreach (var record in found.Records)
        {
            // Aliases lead on from one name to the next; all else stands side by side.
            (record.IsAlias ? way : answers).Add(record.Data.TrimEnd('.'));
        }
        if (found.IsForOthers)
        {
            answers.Add("asked of servers outside");
        }
        if (answers.Count != 0)
        {
            way.Add(string.Join(", ", answers.Take(MostNamed)) + (answers.Count > MostNamed ? $" and {answers.Count - MostNamed} more" : ""));
        }
        return string.Join(" → ", way);
    }

    private static string Causes(TriedName found)
    {
        List<string> causes = [.. found.Records.Select(static record => record.Cause).OfType<string>().Distinct()];
        return causes.Count switch
        {
            0 => "",
            1 => $"    {causes[0]}",
            _ => $"    {causes[0]} and {causes.Count - 1} more",
        };
    }

    // A pod without a resolv.conf, or whose is not known, has none of them.
    private static string Some(string what, IReadOnlyList<string> names) => names.Count == 0 ? $"no {what}" : $"{what} {string.Join(' ', names)}";

    public static void Write(DnsResult result, TextWriter to, Style style)
    {
        var last = result.Tried[^1];
        to.WriteLine(last.Records.Count == 0 && !last.IsForOthers
            ? style.Bad($"{result.Name}: no answer")
            : style.Strong(Summary(result.Name, last)) + Causes(last));
        to.WriteLine(style.Quiet(result.Pod is null
            ? $"asked on {result.Node} as it stands"
            : $"asked by pod {result.Pod} on {result.Node}: {Some("nameserver", result.Servers)}, {Some("search", result.Search)}, ndots {result.Dots}"));
        foreach (var tried in result.Tried)
        {
            to.WriteLine($"{tried.Name}  {tried.Code}{(tried.Search is null ? "" : $"  (search {tried.Search})")}");
            foreach (var record in tried.Records)
            {
                to.WriteLine($"    {record.Record}");
                to.WriteLine(style.Good($"        {record.Cause ?? "the server completes the search path itself"}"));
            }
            to.WriteLine(style.Quiet($"    {tried.Reason}"));
        }
    }
}

/// <param name="Pod">Whose search path it is, <c>NAMESPACE/NAME</c>; null: nobody's.</param>
/// <param name="Tried">In the order in which a resolver asks; the last one counts.</param>
internal sealed record DnsResult(
    string Name, string Type, string? Pod, string Node, IReadOnlyList<string> Servers, IReadOnlyList<string> Search, int Dots, IReadOnlyList<TriedName> Tried);
