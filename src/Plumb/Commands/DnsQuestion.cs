using System.Text.Json;
using Plumb.Dns.Answering;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb explain dns NAME`: what a name comes to for a pod, by which entry of its search path, and which object is behind it.</summary>
internal static class DnsQuestion
{
    /// <param name="pod"><c>POD</c> or <c>NAMESPACE/POD</c>; null: a name that is asked for as it is, on the first node.</param>
    /// <param name="type">Of the record: A, AAAA, SRV …</param>
    public static async Task<DnsResult> AskAsync(LabClient lab, LabStatus status, string name, string? pod, string type)
    {
        var (node, asker, file) = (status.Machines.First(static m => m.Ready is not null).Name, (string?)null, "");
        if (pod is not null)
        {
            var slash = pod.IndexOf('/', StringComparison.Ordinal);
            var (scope, own) = slash < 0 ? ("default", pod) : (pod[..slash], pod[(slash + 1)..]);
            var resolver = await lab.ResolverAsync(scope, own, CancellationToken.None);
            (node, asker, file) = (resolver.Node, $"{scope}/{own}", resolver.File);
        }
        var path = SearchPath.Parse(file);
        var search = string.Join(' ', path.Search.Select(static entry => entry.ToString().TrimEnd('.')));
        await using var said = await lab.NodeAsync(
            node, $"dns?name={Uri.EscapeDataString(name)}&search={Uri.EscapeDataString(search)}&ndots={path.Dots}&type={Uri.EscapeDataString(type)}", CancellationToken.None);
        var report = await JsonSerializer.DeserializeAsync(said, NameReportJson.Default.NameReport) ?? throw new LabException($"the agent of {node} gave an empty answer");
        if (report.Tried.Count == 0)
        {
            throw new LabException($"'{name}' is no domain name: labels of 1 to 63 bytes between dots, 255 bytes in all");
        }
        return new DnsResult(name, type, asker, node, path.Servers, [.. search.Split(' ', StringSplitOptions.RemoveEmptyEntries)], path.Dots, report.Tried);
    }

    public static void Write(DnsResult result, TextWriter to, Style style)
    {
        var last = result.Tried[^1];
        var chain = new List<string> { result.Name };
        var cause = "";
        foreach (var record in last.Records)
        {
            if (record.Cause is not null || chain.Count == 1)
            {
                chain.Add(record.Data.TrimEnd('.'));
            }
            cause = record.Cause ?? cause;
        }
        to.WriteLine(last.Records.Count == 0 && !last.IsForOthers
            ? style.Bad($"{result.Name}: no answer")
            : style.Strong(string.Join(" → ", chain) + (last.IsForOthers ? " → asked of servers outside" : "")) + (cause.Length == 0 ? "" : $"    {cause}"));
        to.WriteLine(style.Quiet(result.Pod is null
            ? $"asked on {result.Node} as it stands"
            : $"asked by pod {result.Pod} on {result.Node}: nameserver {string.Join(' ', result.Servers)}, search {string.Join(' ', result.Search)}, ndots {result.Dots}"));
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
