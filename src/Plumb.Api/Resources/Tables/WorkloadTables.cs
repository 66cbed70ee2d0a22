using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Tables;

/// <summary>Deployments and their kin.</summary>
internal static class WorkloadTables
{
    private static readonly Column Containers = new("Containers", static row => Names(row, "name"), 1);
    private static readonly Column Images = new("Images", static row => Names(row, "image"), 1);
    private static readonly Column Selector = new("Selector", static row => SelectorOf(row.Root.Get("spec", "selector")), 1);

    public static readonly TableLayout Deployments = new(
        TableLayout.Name,
        new Column("Ready", static row => $"{row.Root.Number("status", "readyReplicas")}/{row.Root.Number("spec", "replicas")}"),
        Count("Up-to-date", "updatedReplicas", "string"),
        Count("Available", "availableReplicas", "string"),
        TableLayout.Age, Containers, Images, Selector);

    public static readonly TableLayout ReplicaSets = new(
        TableLayout.Name,
        new Column("Desired", static row => row.Root.Number("spec", "replicas"), Type: "integer"),
        Count("Current", "replicas"),
        Count("Ready", "readyReplicas"),
        TableLayout.Age, Containers, Images, Selector);

    public static readonly TableLayout ReplicationControllers = new(
        [.. ReplicaSets.Columns[..^1], new Column("Selector", static row => Json.OrNone(SelectorText.OfMap(Node(row.Root.Get("spec", "selector")))), 1)]);

    public static readonly TableLayout PodTemplates = new(
        TableLayout.Name,
        new Column("Containers", static row => NamesIn(row, "name", "template", "spec", "containers")),
        new Column("Images", static row => NamesIn(row, "image", "template", "spec", "containers")),
        new Column("Pod Labels", static row => Json.OrNone(SelectorText.OfMap(Node(row.Root.Get("template", "metadata", "labels"))))));

    public static readonly TableLayout DaemonSets = new(
        TableLayout.Name,
        Count("Desired", "desiredNumberScheduled"),
        Count("Current", "currentNumberScheduled"),
        Count("Ready", "numberReady"),
        Count("Up-to-date", "updatedNumberScheduled"),
        Count("Available", "numberAvailable"),
        new Column("Node Selector", static row => Json.OrNone(SelectorText.OfMap(Node(row.Root.Get("spec", "template", "spec", "nodeSelector"))))),
        TableLayout.Age, Containers, Images, Selector);

    public static readonly TableLayout StatefulSets = new(
        TableLayout.Name,
        new Column("Ready", static row => $"{row.Root.Number("status", "readyReplicas")}/{row.Root.Number("spec", "replicas")}"),
        TableLayout.Age, Containers, Images);

    public static readonly TableLayout Jobs = new(
        TableLayout.Name,
        new Column("Status", static row => JobStatus(row)),
        new Column("Completions", static row => Completions(row)),
        new Column("Duration", static row => Duration(row)),
        TableLayout.Age, Containers, Images, Selector);

    public static readonly TableLayout CronJobs = new(
        TableLayout.Name,
        new Column("Schedule", static row => row.Root.Text("spec", "schedule")),
        new Column("Timezone", static row => Json.OrNone(row.Root.Text("spec", "timeZone"))),
        new Column("Suspend", static row => row.Root.Get("spec", "suspend").ValueKind == JsonValueKind.True ? "True" : "False", Type: "boolean"),
        new Column("Active", static row => (long)row.Root.Count("status", "active"), Type: "integer"),
        new Column("Last Schedule", static row => row.Root.Time("status", "lastScheduleTime") is { } last ? Durations.Since(last, row.Now) : "<none>"),
        TableLayout.Age,
        new Column("Containers", static row => NamesIn(row, "name", "spec", "jobTemplate", "spec", "template", "spec", "containers"), 1),
        new Column("Images", static row => NamesIn(row, "image", "spec", "jobTemplate", "spec", "template", "spec", "containers"), 1),
        new Column("Selector", static row => SelectorOf(row.Root.Get("spec", "jobTemplate", "spec", "selector")), 1));

    public static readonly TableLayout ControllerRevisions = new(
        TableLayout.Name,
        new Column("Controller", static row => Json.OrNone(Controller(row))),
        new Column("Revision", static row => row.Root.Number("revision")),
        TableLayout.Age);

    private static Column Count(string name, string field, string type = "integer") => new(name, row => row.Root.Number("status", field), Type: type);

    private static string Names(Row row, string member) => NamesIn(row, member, "spec", "template", "spec", "containers");

    private static string NamesIn(Row row, string member, params string[] path) => string.Join(',', row.Root.Items(path).Select(container => container.Text(member)));

    public static string SelectorOf(JsonElement selector) => Json.OrNone(SelectorText.Of(Node(selector)));

    internal static JsonObject? Node(JsonElement element) => element.ValueKind == JsonValueKind.Object ? JsonObject.Create(element) : null;

    private static string Controller(Row row) => row.Stored.Controller is { } owner ? $"{owner.Kind.ToLowerInvariant()}.{owner.ApiVersion.Split('/')[0]}/{owner.Name}" : "";

    private static string JobStatus(Row row)
    {
        foreach (var type in (ReadOnlySpan<string>)["Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"])
        {
            foreach (var condition in row.Root.Items("status", "conditions"))
            {
                if (condition.Text("type") == type && condition.Text("status") == "True")
                    return type;
            }
        }

        return row.Stored.IsDeleting ? "Terminating" : "Running";
    }

    private static string Completions(Row row)
    {
        var succeeded = row.Root.Number("status", "succeeded");
        if (row.Root.Get("spec", "completions").ValueKind == JsonValueKind.Number)
            return $"{succeeded}/{row.Root.Number("spec", "completions")}";
        var parallelism = row.Root.Number("spec", "parallelism");
        return parallelism > 1 ? $"{succeeded}/1 of {parallelism}" : $"{succeeded}/1";
    }

    private static string Duration(Row row)
    {
        if (row.Root.Time("status", "startTime") is not { } start)
            return "";
        return Durations.Show((row.Root.Time("status", "completionTime") ?? row.Now) - start);
    }
}
