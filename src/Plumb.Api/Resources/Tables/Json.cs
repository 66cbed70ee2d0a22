using System.Text.Json;

namespace Plumb.Api.Resources.Tables;

/// <summary>Walks into objects that may lack any step.</summary>
internal static class Json
{
    public static JsonElement Get(this JsonElement element, params ReadOnlySpan<string> steps)
    {
        foreach (var step in steps)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(step, out element))
                return default;
        }

        return element;
    }

    /// <summary>Empty where there is no text.</summary>
    public static string Text(this JsonElement element, params ReadOnlySpan<string> steps)
    {
        var found = element.Get(steps);
        return found.ValueKind == JsonValueKind.String ? found.GetString()! : "";
    }

    /// <summary>Text, or a number as text: what an IntOrString shows.</summary>
    public static string Shown(this JsonElement element, params ReadOnlySpan<string> steps)
    {
        var found = element.Get(steps);
        return found.ValueKind switch
        {
            JsonValueKind.String => found.GetString()!,
            JsonValueKind.Undefined or JsonValueKind.Null => "",
            _ => found.GetRawText(),
        };
    }

    public static long Number(this JsonElement element, params ReadOnlySpan<string> steps)
    {
        var found = element.Get(steps);
        return found.ValueKind == JsonValueKind.Number && found.TryGetInt64(out var number) ? number : 0;
    }

    public static bool Flag(this JsonElement element, params ReadOnlySpan<string> steps) => element.Get(steps).ValueKind == JsonValueKind.True;

    public static DateTimeOffset? Time(this JsonElement element, params ReadOnlySpan<string> steps)
    {
        var found = element.Get(steps);
        return found.ValueKind == JsonValueKind.String && found.TryGetDateTimeOffset(out var time) ? time : null;
    }

    public static IEnumerable<JsonElement> Items(this JsonElement element, params ReadOnlySpan<string> steps)
    {
        var found = element.Get(steps);
        return found.ValueKind == JsonValueKind.Array ? found.EnumerateArray() : [];
    }

    /// <summary>How many members an object or items an array has.</summary>
    public static int Count(this JsonElement element, params ReadOnlySpan<string> steps)
    {
        var found = element.Get(steps);
        return found.ValueKind switch
        {
            JsonValueKind.Array => found.GetArrayLength(),
            JsonValueKind.Object => found.GetPropertyCount(),
            _ => 0,
        };
    }

    public static string OrNone(string text) => text.Length == 0 ? "<none>" : text;
}
