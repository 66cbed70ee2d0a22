using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Plumb.Api.Http;
using Plumb.Api.Http.Endpoints;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Tables;

/// <summary>meta.k8s.io Tables and PartialObjectMetadata.</summary>
internal static class TableWriter
{
    /// <param name="includeObject">Rows carry the whole object rather than its metadata.</param>
    /// <param name="withColumns">In a watch only the first event says the columns.</param>
    public static ReadOnlyMemory<byte> Write(
        ResourceDefinition definition, IReadOnlyList<StoredObject> objects, string metaVersion, bool? includeObject, DateTimeOffset now,
        long version, string? next, long? remaining, bool withColumns)
    {
        var buffer = new ArrayBufferWriter<byte>(objects.Count * 600 + 1024);
        using var json = new Utf8JsonWriter(buffer, Answer.WriterOptions);
        json.WriteStartObject();
        json.WriteString("kind", "Table");
        json.WriteString("apiVersion", "meta.k8s.io/" + metaVersion);
        json.WriteStartObject("metadata");
        json.WriteString("resourceVersion", version.ToString(CultureInfo.InvariantCulture));
        if (next is not null)
            json.WriteString("continue", next);
        if (remaining is { } count)
            json.WriteNumber("remainingItemCount", count);
        json.WriteEndObject();
        WriteColumns(json, definition.Table, withColumns);
        json.WriteStartArray("rows");
        foreach (var stored in objects)
            WriteRow(json, definition, stored, metaVersion, includeObject, now);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    public static System.Text.Json.Nodes.JsonObject Metadata(StoredObject stored, string metaVersion) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/" + metaVersion,
        ["metadata"] = stored.ToNode()["metadata"]!.DeepClone(),
    };

    private static void WriteColumns(Utf8JsonWriter json, TableLayout layout, bool withColumns)
    {
        if (!withColumns)
        {
            json.WriteNull("columnDefinitions");
            return;
        }

        json.WriteStartArray("columnDefinitions");
        foreach (var column in layout.Columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("type", column.Type);
            json.WriteString("format", column.Format);
            json.WriteString("description", "");
            json.WriteNumber("priority", column.Priority);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRow(
        Utf8JsonWriter json, ResourceDefinition definition, StoredObject stored, string metaVersion, bool? includeObject, DateTimeOffset now)
    {
        using var document = JsonDocument.Parse(stored.Json, new JsonDocumentOptions { MaxDepth = StoredObject.MaxDepth });
        var row = new Row(stored, document.RootElement, now);
        json.WriteStartObject();
        json.WriteStartArray("cells");
        foreach (var column in definition.Table.Columns)
        {
            switch (column.Cell(row))
            {
                case string text:
                    json.WriteStringValue(text);
                    break;
                case long number:
                    json.WriteNumberValue(number);
                    break;
                case NoValue:
                    json.WriteNullValue();
                    break;
                case bool flag:
                    json.WriteBooleanValue(flag);
                    break;
            }
        }

        json.WriteEndArray();
        if (definition.Table.Completed?.Invoke(row) is var (reason, message))
        {
            json.WriteStartArray("conditions");
            json.WriteStartObject();
            json.WriteString("type", "Completed");
            json.WriteString("status", "True");
            json.WriteString("reason", reason);
            json.WriteString("message", message);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WritePropertyName("object");
        if (includeObject is not { } whole)
        {
            json.WriteNullValue();
        }
        else if (whole)
        {
            json.WriteRawValue(ReadEndpoint.Shown(definition, stored).Span, skipInputValidation: true);
        }
        else
        {
            json.WriteStartObject();
            json.WriteString("kind", "PartialObjectMetadata");
            json.WriteString("apiVersion", "meta.k8s.io/" + metaVersion);
            json.WritePropertyName("metadata");
            document.RootElement.GetProperty("metadata").WriteTo(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
