using System.Globalization;
using Plumb.Agent;
using Plumb.Output;

namespace Plumb.Installing;

/// <summary>What this machine's agent tells of itself.</summary>
internal static class AgentStatus
{
    public static void Write(NodeReport node, TextWriter to, Style style)
    {
        var state = node.Trouble is null ? style.Good("wires pods") : style.Warning("wires no pods");
        to.WriteLine($"{style.Strong(node.Node)}  {state}  agent since {Time(node.StartedAt)}, process {node.ProcessId}, {node.MemoryBytes / 1_000_000} MB");
        if (node.Trouble is { } trouble)
        {
            Line("trouble", trouble);
        }
        Line("api", node.ApiTrouble is { } cut ? $"{style.Warning("does not answer")}, last {Time(cut.At)}: {cut.What}" : "answers");
        Line("network", $"pods by {node.Overlay}, Services by {node.Services}; {node.ClusterNodes} nodes, {node.ClusterServices} Services");
        foreach (var range in node.PodRanges)
        {
            Line("range", $"{range.Range}: {range.Held} of {range.Capacity} addresses held");
        }
        Line("pods", $"{node.Pods}");
        Line("entries", string.Join(", ", node.EntriesByLayer.OrderBy(static one => one.Key, StringComparer.Ordinal).Select(static one => $"{one.Key} {one.Value}")));
        Line("conntrack", node.MostConnections == 0 ? "not used" : $"{node.Connections} of {node.MostConnections} connections");
        foreach (var lacks in node.Lacks ?? [])
        {
            Line("lacks", style.Warning(lacks));
        }
        Line("repairs", $"{node.Repairs}");
        foreach (var repair in node.RecentRepairs)
        {
            Line("", $"{Time(repair.At)}  {repair.What}");
        }

        void Line(string what, string said) => to.WriteLine($"  {what,-10}  {said}");
    }

    private static string Time(DateTimeOffset at) => at.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
