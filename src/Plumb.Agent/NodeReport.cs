using System.Text.Json.Serialization;

namespace Plumb.Agent;

/// <summary>How a node is: what <c>GET /status</c> of the agent's socket answers and <c>plumb status</c> shows there.</summary>
/// <param name="ProcessId">The agent's, in its own pid namespace.</param>
/// <param name="MemoryBytes">The agent's resident memory.</param>
/// <param name="Trouble">Why pods cannot be wired; null: they can.</param>
/// <param name="ApiTrouble">What went wrong with the API server and is not mended yet; null: nothing.</param>
/// <param name="Connections">Tracked by the kernel in the agent's network namespace.</param>
/// <param name="Repairs">How often something was put back since the agent started.</param>
/// <param name="RecentRepairs">The last ones, the newest first.</param>
/// <param name="Lacks">What the kernel does not give, each in one line with what is lost.</param>
public sealed record NodeReport(
    string Node,
    int ProcessId,
    DateTimeOffset StartedAt,
    long MemoryBytes,
    string? Trouble,
    Happening? ApiTrouble,
    string Overlay,
    string Services,
    IReadOnlyList<RangeUse> PodRanges,
    long Pods,
    long ClusterNodes,
    long ClusterServices,
    IReadOnlyDictionary<string, long> EntriesByLayer,
    long Connections,
    long MostConnections,
    long Repairs,
    IReadOnlyList<Happening> RecentRepairs,
    IReadOnlyList<string> Lacks);

/// <param name="Held">Addresses that pods hold, or that rest after one.</param>
public sealed record RangeUse(string Range, long Held, long Capacity);

/// <summary>Something that happened, in one line.</summary>
public sealed record Happening(DateTimeOffset At, string What);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NodeReport))]
public sealed partial class NodeReportJson : JsonSerializerContext;
