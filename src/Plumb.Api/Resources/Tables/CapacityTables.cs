using System.Text.Json;

namespace Plumb.Api.Resources.Tables;

/// <summary>How much of something there may be.</summary>
internal static class CapacityTables
{
    public static readonly TableLayout Quotas = new(
        TableLayout.Name,
        new Column("Request", static row => Used(row, isLimit: false)),
        new Column("Limit", static row => Used(row, isLimit: true)),
        TableLayout.Age);

    public static readonly TableLayout Autoscalers = new(
        TableLayout.Name,
        new Column("Reference", static row => $"{row.Root.Text("spec", "scaleTargetRef", "kind")}/{row.Root.Text("spec", "scaleTargetRef", "name")}"),
        new Column("Targets", static row => string.Join(", ", row.Root.Items("spec", "metrics").Select(Target))),
        new Column("MinPods", static row => row.Root.Number("spec", "minReplicas").ToString()),
        new Column("MaxPods", static row => row.Root.Number("spec", "maxReplicas")),
        new Column("Replicas", static row => row.Root.Number("status", "currentReplicas")),
        TableLayout.Age);

    private static string Used(Row row, bool isLimit) => string.Join(", ",
        from hard in row.Root.Get("status", "hard") is { ValueKind: JsonValueKind.Object } all ? all.EnumerateObject().ToList() : []
        where hard.Name.StartsWith("limits.", StringComparison.Ordinal) == isLimit
        orderby hard.Name
        select $"{hard.Name}: {row.Root.Shown("status", "used", hard.Name)}/{row.Root.Shown("status", "hard", hard.Name)}");

    /// <summary>Nothing is measured.</summary>
    private static string Target(JsonElement metric)
    {
        var type = metric.Text("type");
        var source = metric.Get(type.Length == 0 ? "" : char.ToLowerInvariant(type[0]) + type[1..]);
        var wanted = source.Get("target", "averageUtilization").ValueKind == JsonValueKind.Number
            ? $"{source.Number("target", "averageUtilization")}%"
            : source.Text("target", "averageValue") is { Length: > 0 } average ? average : source.Text("target", "value");
        return (type is "Resource" or "ContainerResource" ? source.Text("name") + ": " : "") + "<unknown>/" + wanted;
    }
}
