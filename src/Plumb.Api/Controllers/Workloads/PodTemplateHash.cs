using System.Globalization;
using System.Text.Json.Nodes;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// The label `pod-template-hash`: FNV-1a (32 bits) over the template with its members in order, written in an alphabet from which no words come out.
/// Its value means nothing to anybody; it is the same for the same template.
/// </summary>
internal static class PodTemplateHash
{
    public const string Label = "pod-template-hash";

    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    /// <param name="collisions">How often another template was found to have the same hash.</param>
    public static string Of(JsonNode? template, int collisions)
    {
        uint hash = 2166136261;
        Add(ref hash, template);
        if (collisions > 0)
            Add(ref hash, collisions.ToString(CultureInfo.InvariantCulture));
        string digits = hash.ToString(CultureInfo.InvariantCulture);
        return string.Create(digits.Length, digits, static (letters, digits) =>
        {
            for (int i = 0; i < letters.Length; i++)
                letters[i] = Alphabet[digits[i] % Alphabet.Length];
        });
    }

    private static void Add(ref uint hash, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                string[] names = new string[map.Count];
                for (int i = 0; i < names.Length; i++)
                    names[i] = map.GetAt(i).Key;
                Array.Sort(names, StringComparer.Ordinal);
                Add(ref hash, "{");
                foreach (string name in names)
                {
                    // kubectl writes `creationTimestamp: null` into a template that it takes back: null, empty and absent are one.
                    if (map[name] is null or JsonObject { Count: 0 } or JsonArray { Count: 0 })
                        continue;
                    Add(ref hash, name);
                    Add(ref hash, map[name]);
                }
                Add(ref hash, "}");
                break;
            case JsonArray list:
                Add(ref hash, "[");
                foreach (var item in list)
                    Add(ref hash, item);
                Add(ref hash, "]");
                break;
            default:
                Add(ref hash, node?.ToJsonString() ?? "null");
                break;
        }
    }

    private static void Add(ref uint hash, string text)
    {
        foreach (char c in text)
            hash = (hash ^ c) * 16777619;
        // An end, so that "ab","c" is not "a","bc".
        hash = (hash ^ 0xFFFF) * 16777619;
    }
}
