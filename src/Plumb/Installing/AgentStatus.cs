using System.Globalization;
using System.Text.Json;
using Plumb.Agent;
using Plumb.Lab.Running;
using Plumb.Linux.Native;
using Plumb.Output;

namespace Plumb.Installing;

/// <summary>What this machine's agent tells of itself.</summary>
internal static class AgentStatus
{
    /// <param name="socket">Null: the usual one, if an agent is there and answers this user.</param>
    /// <param name="note">Told why there is no answer where none need be.</param>
    /// <exception cref="IOException">It does not answer.</exception>
    public static NodeReport? Ask(string? socket, Action<string> note)
    {
        var path = socket ?? AgentOptions.DefaultSocket;
        if (socket is null && !File.Exists(path))
        {
            return null;
        }
        try
        {
            var answer = UnixRequest.Send(path, "GET", "/status");
            return answer.Status == 200
                ? JsonSerializer.Deserialize(answer.Body.Span, NodeReportJson.Default.NodeReport)
                : throw new IOException($"the agent at {path} is another version's: it cannot say how this node is; ask it by the `plumb` that it is");
        }
        catch (SystemCallException refused) when (socket is null && refused.Errno is (Errno.EACCES or Errno.ECONNREFUSED))
        {
            note(refused.Errno == Errno.EACCES ? "this machine's agent answers root alone: sudo plumb status" : $"{path}: no agent answers there any more");
            return null;
        }
        catch (Exception silent) when (silent is SystemCallException or InvalidDataException or JsonException)
        {
            throw new IOException($"the agent at {path} does not say how this node is: {silent.Message}", silent);
        }
    }

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
        Line("repairs", $"{node.Repairs}");
        foreach (var repair in node.RecentRepairs)
        {
            Line("", $"{Time(repair.At)}  {repair.What}");
        }

        void Line(string what, string said) => to.WriteLine($"  {what,-10}  {said}");
    }

    private static string Time(DateTimeOffset at) => at.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
