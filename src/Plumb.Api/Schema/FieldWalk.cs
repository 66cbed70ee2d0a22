using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Api.Schema;

/// <summary>Holds an object against its type: members that the type does not have, and values of the wrong kind, in the real decoder's words.</summary>
internal sealed class FieldWalk
{
    private readonly List<string> _path = [];

    /// <summary>Paths with indexes: `spec.containers[0].bogus`.</summary>
    public List<string> Unknown { get; } = [];

    /// <summary>The first value that cannot be decoded: what the server answers and stops at.</summary>
    public string? Mismatch { get; private set; }

    /// <param name="members">Of the root: the others are passed over. Null: none is.</param>
    public static FieldWalk Over(TypeSchema schema, JsonObject root, HashSet<string>? members = null)
    {
        var walk = new FieldWalk();
        walk.Object(schema, root, "", members);
        return walk;
    }

    private void Object(TypeSchema schema, JsonObject value, string path, HashSet<string>? members = null)
    {
        List<string>? empty = null;
        foreach (var (name, member) in value)
        {
            if (Mismatch is not null)
                return;
            if (members?.Contains(name) == false)
                continue;
            var here = path.Length == 0 ? name : $"{path}.{name}";
            if (!schema.Fields.TryGetValue(name, out var type))
            {
                Unknown.Add(here);
                continue;
            }

            if (member is JsonObject { Count: 0 } && type.IsMap)
                (empty ??= []).Add(name);
            _path.Add(name);
            Value(schema, type, member, here);
            _path.RemoveAt(_path.Count - 1);
        }

        // A typed server leaves out what is empty. Empty objects of a type of their own mean something (`emptyDir: {}`), empty maps do not.
        foreach (var name in empty ?? [])
            value.Remove(name);
    }

    private void Value(TypeSchema owner, FieldType type, JsonNode? value, string path)
    {
        if (value is null || Mismatch is not null)
            return;
        var kind = value.GetValueKind();
        if (type.IsList)
        {
            if (kind != JsonValueKind.Array)
                Wrong(owner, kind, type.GoName, null);
            else
                List(owner, type, value.AsArray(), path);
        }
        else if (type.IsMap)
        {
            if (kind != JsonValueKind.Object)
                Wrong(owner, kind, type.GoName, null);
            else
                Map(owner, type, value.AsObject(), path);
        }
        else if (type is { Named: { } named, Scalar: Scalar.None })
        {
            if (kind != JsonValueKind.Object)
                Wrong(owner, kind, type.GoName, null);
            else
                Object(named, value.AsObject(), path);
        }
        else
        {
            ScalarValue(owner, type, value, kind);
        }
    }

    private void List(TypeSchema owner, FieldType type, JsonArray list, string path)
    {
        for (var i = 0; i < list.Count; i++)
            Value(owner, type.Element!, list[i], $"{path}[{i}]");
    }

    private void Map(TypeSchema owner, FieldType type, JsonObject map, string path)
    {
        foreach (var (key, value) in map)
            Value(owner, type.Element!, value, $"{path}.{key}");
    }

    private void ScalarValue(TypeSchema owner, FieldType type, JsonNode value, JsonValueKind kind)
    {
        switch (type.Scalar)
        {
            case Scalar.Text when kind != JsonValueKind.String:
            case Scalar.Flag when kind is not (JsonValueKind.True or JsonValueKind.False):
                Wrong(owner, kind, type.GoName, null);
                break;
            case Scalar.Int32 or Scalar.Int64 or Scalar.Float64 when kind != JsonValueKind.Number:
                Wrong(owner, kind, type.GoName, null);
                break;
            case Scalar.Int32 or Scalar.Int64:
                var text = value.ToJsonString();
                var fits = long.TryParse(text, CultureInfo.InvariantCulture, out var number) && (type.Scalar == Scalar.Int64 || number is >= int.MinValue and <= int.MaxValue);
                if (!fits)
                    Wrong(owner, kind, type.GoName, text);
                break;
            case Scalar.Time when kind == JsonValueKind.String && !DateTimeOffset.TryParse(value.GetValue<string>(), CultureInfo.InvariantCulture, out _):
                Mismatch = Unparsed(value.GetValue<string>(), "2006-01-02T15:04:05Z07:00");
                break;
            case Scalar.MicroTime when kind == JsonValueKind.String && !DateTimeOffset.TryParse(value.GetValue<string>(), CultureInfo.InvariantCulture, out _):
                Mismatch = Unparsed(value.GetValue<string>(), "2006-01-02T15:04:05.000000Z07:00");
                break;
            case Scalar.Quantity when !Quantities.TryParse(value.ToString(), out _):
                Mismatch = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
                break;
            case Scalar.Bytes when kind != JsonValueKind.String:
                Wrong(owner, kind, type.GoName, null);
                break;
            case Scalar.Bytes when !IsBase64(value.GetValue<string>(), out var at):
                Mismatch = $"illegal base64 data at input byte {at}";
                break;
        }
    }

    private void Wrong(TypeSchema owner, JsonValueKind kind, string goType, string? number) =>
        Mismatch ??= $"json: cannot unmarshal {Describe(kind)}{(number is null ? "" : " " + number)} into Go struct field {owner.Name}.{string.Join('.', _path)} of type {goType}";

    private static string Unparsed(string text, string layout) => $"parsing time \"{text}\" as \"{layout}\": cannot parse \"{text}\" as \"2006\"";

    private static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "array",
        JsonValueKind.Object => "object",
        JsonValueKind.Number => "number",
        JsonValueKind.String => "string",
        _ => "bool",
    };

    private static bool IsBase64(string text, out int at)
    {
        for (at = 0; at < text.Length; at++)
        {
            var c = text[at];
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/' or '=' or '\n' or '\r'))
                return false;
        }

        if (Convert.TryFromBase64String(text, new byte[text.Length], out _))
            return true;

        // What is missing is told where its group of four begins.
        at = text.Length / 4 * 4;
        return false;
    }
}
