using System.Text.Json;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Tables;

/// <summary>A column: how it is declared, and the value of its cell.</summary>
/// <param name="Cell">Text, a number (long) or a flag.</param>
/// <param name="Priority">1: only with `-o wide`.</param>
internal sealed record Column(string Name, Func<Row, object> Cell, int Priority = 0, string Type = "string", string Format = "");

/// <summary>A cell of which there is nothing to tell.</summary>
internal sealed class NoValue
{
    public static readonly NoValue Instance = new();
}

/// <param name="Root">The object.</param>
internal readonly record struct Row(StoredObject Stored, JsonElement Root, DateTimeOffset Now)
{
    public string Age => Durations.Since(Stored.CreationTimestamp, Now);
}

/// <summary>The columns of a kind's Table.</summary>
internal sealed class TableLayout(params Column[] columns)
{
    public static readonly Column Name = new("Name", static row => row.Stored.Name, Format: "name");
    public static readonly Column Age = new("Age", static row => row.Age);
    public static readonly TableLayout NameAndAge = new(Name, new Column("Created At", static row => row.Root.Text("metadata", "creationTimestamp"), Type: "date"));

    public Column[] Columns { get; } = columns;

    /// <summary>What a row says of itself beside its cells: kubectl hides nothing for it, other clients do.</summary>
    public Func<Row, (string Reason, string Message)?>? Completed { get; init; }
}
