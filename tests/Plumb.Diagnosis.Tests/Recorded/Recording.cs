using System.Text.Json.Nodes;

namespace Plumb.Diagnosis.Tests.Recorded;

/// <summary>
/// Files of a recorded cluster: a folder for each namespace. A recording of a fault holds only what the fault's node had then; all else is as it was in the
/// healthy cluster, which lies behind it.
/// </summary>
/// <param name="layers">Folders; what is not in the first is looked for in the next.</param>
internal sealed class Recording(IReadOnlyList<string> layers)
{
    public IReadOnlyList<string> Machines { get; } =
        [.. layers.SelectMany(Directory.GetDirectories).Select(static folder => Path.GetFileName(folder)!).Where(static name => name[0] != '_').Distinct().Order(StringComparer.Ordinal)];

    public IReadOnlyList<string> Pods(string machine) =>
        [.. layers.Select(layer => Path.Combine(layer, machine, "pods")).Where(Directory.Exists).SelectMany(Directory.GetDirectories).Select(static folder => Path.GetFileName(folder)!).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Empty: the command printed nothing, or was not asked.</summary>
    public string Text(string folder, string file)
    {
        foreach (var layer in layers)
        {
            var path = Path.Combine(layer, folder, file);
            if (File.Exists(path))
            {
                return File.ReadAllText(path);
            }
        }
        return "";
    }

    public IEnumerable<JsonNode> Items(string folder, string file) =>
        Text(folder, file) is { Length: > 1 } text && JsonNode.Parse(text) is JsonArray items ? items.OfType<JsonNode>() : [];

    /// <summary>The probes that were made; of a fault those during it.</summary>
    public IEnumerable<JsonNode> Probes() =>
        File.ReadLines(Path.Combine(layers[0], "truth.jsonl")).Select(static line => JsonNode.Parse(line)!).Where(static probe => (string?)probe["phase"] is null or "during");
}
