using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Lab.Cni;

/// <summary>JSON as plugins read and write it.</summary>
internal static class CniText
{
    // No more escapes than there must be.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions Unambiguous = new() { AllowDuplicateProperties = false };

    /// <exception cref="JsonException">It is no JSON, or a key is twice in one object: readers differ in which of the two counts.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> text) => JsonNode.Parse(text, documentOptions: Unambiguous);

    public static byte[] Of(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            node.WriteTo(json);
        }
        return buffer.WrittenSpan.ToArray();
    }
}
