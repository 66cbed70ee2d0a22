using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Lab.Cni;

/// <summary>JSON as plugins read it: with no more escapes than there must be.</summary>
internal static class CniText
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
