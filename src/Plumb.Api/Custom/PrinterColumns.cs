using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Tables;

namespace Plumb.Api.Custom;

/// <summary>The table of a custom resource: its name, then `additionalPrinterColumns`, or its age where there are none.</summary>
internal static class PrinterColumns
{
    public static TableLayout Of(JsonObject version)
    {
        var columns = new List<Column> { TableLayout.Name };
        foreach (var column in Fields.Objects(version, "additionalPrinterColumns"))
        {
            var path = Fields.Text(column, "jsonPath");
            var type = Fields.Text(column, "type");
            columns.Add(new Column(Fields.Text(column, "name"), row => Cell(row, path, type), (int)(Fields.Number(column, "priority") ?? 0), type, Fields.Text(column, "format")));
        }

        if (columns.Count == 1)
            columns.Add(new Column("Age", static row => row.Age, Type: "date"));
        return new TableLayout([.. columns]);
    }

    private static object Cell(Row row, string path, string type)
    {
        var found = JsonPaths.Find(row.Root, path);
        if (found.Count == 0 || found[0].ValueKind == JsonValueKind.Null)
            return NoValue.Instance;
        if (found.Count > 1)
            return string.Join(',', found.Select(Shown));
        var value = found[0];
        return type switch
        {
            "integer" when value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) => number,
            "boolean" when value.ValueKind is JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
            "date" when value.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, out var time) => Durations.Since(time, row.Now),
            "date" => "<invalid>",
            "integer" or "boolean" => NoValue.Instance,
            _ => Shown(value),
        };
    }

    private static string Shown(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
