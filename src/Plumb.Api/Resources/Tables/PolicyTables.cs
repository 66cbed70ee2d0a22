using System.Text.Json;

namespace Plumb.Api.Resources.Tables;

/// <summary>Who may do what, and how much of it at once.</summary>
internal static class PolicyTables
{
    public static readonly TableLayout DisruptionBudgets = new(
        TableLayout.Name,
        new Column("Min Available", static row => Share(row.Root.Get("spec", "minAvailable"))),
        new Column("Max Unavailable", static row => Share(row.Root.Get("spec", "maxUnavailable"))),
        new Column("Allowed Disruptions", static row => row.Root.Number("status", "disruptionsAllowed"), Type: "integer"),
        TableLayout.Age);

    public static readonly TableLayout PriorityClasses = new(
        TableLayout.Name,
        new Column("Value", static row => row.Root.Number("value"), Type: "integer"),
        new Column("Global-Default", static row => row.Root.Flag("globalDefault"), Type: "boolean"),
        TableLayout.Age,
        new Column("PreemptionPolicy", static row => row.Root.Text("preemptionPolicy")));

    public static readonly TableLayout RoleBindings = new(
        TableLayout.Name,
        new Column("Role", static row => $"{row.Root.Text("roleRef", "kind")}/{row.Root.Text("roleRef", "name")}"),
        TableLayout.Age,
        new Column("Users", static row => Subjects(row, "User"), 1),
        new Column("Groups", static row => Subjects(row, "Group"), 1),
        new Column("ServiceAccounts", static row => Subjects(row, "ServiceAccount"), 1));

    private static string Share(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.String => value.GetString()!,
        _ => "N/A",
    };

    private static string Subjects(Row row, string kind) => string.Join(", ", row.Root.Items("subjects").Where(subject => subject.Text("kind") == kind)
        .Select(subject => kind == "ServiceAccount" ? $"{subject.Text("namespace")}/{subject.Text("name")}" : subject.Text("name")));
}
