using System.Text;
using System.Text.Json;

namespace Plumb.Api.Storage;

/// <summary>Finds one value in JSON without building a document: field selectors look at a field or two of each object.</summary>
internal static class FieldReader
{
    /// <returns>Empty when a step of the path is absent or is not an object, or when the value is not a scalar.</returns>
    public static string Read(ReadOnlySpan<byte> json, string path)
    {
        var reader = new Utf8JsonReader(json, StoredObject.Deep);
        reader.Read();
        foreach (var step in path.AsSpan().Split('.'))
        {
            if (reader.TokenType != JsonTokenType.StartObject || !Enter(ref reader, path.AsSpan()[step]))
                return "";
        }

        return reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
            _ => "",
        };
    }

    private static bool Enter(ref Utf8JsonReader reader, ReadOnlySpan<char> member)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(member);
            reader.Read();
            if (found)
                return true;
            reader.Skip();
        }

        return false;
    }
}
