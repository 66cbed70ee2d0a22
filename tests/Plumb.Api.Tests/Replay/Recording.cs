using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Replay;

/// <summary>One line of a recording: a request, and what a real server answered.</summary>
internal sealed record Recording(string File, JsonObject Line)
{
    public string Name { get; } = (string)Line["name"]!;

    public string Id => $"{File}/{Name}";

    public string Method => (string?)Line["method"] ?? "GET";

    public string Path => (string)Line["path"]!;

    public string Accept => (string?)Line["accept"] ?? "";

    public int Status => (int)Line["status"]!;

    public string ContentType => (string?)Line["contentType"] ?? "application/json";

    public JsonNode? Request => Line["request"];

    public JsonNode? Response => Line["response"] ?? Line["body"];

    public static IEnumerable<Recording> Read(string file) => Fixtures.Read(file + ".jsonl").Select(line => new Recording(file, line));

    /// <summary>The documents of discovery/, as lines.</summary>
    public static IEnumerable<Recording> Discovery()
    {
        var index = Fixtures.Document("discovery/index.json")!.AsArray();
        var seen = new HashSet<string>();
        foreach (var entry in index)
        {
            var path = (string)entry!["path"]!;
            var accept = (string?)entry["accept"];
            var name = path + (accept is null or "application/json" ? "" : $" ({accept})");
            if (!seen.Add(name))
                continue;
            var line = new JsonObject
            {
                ["name"] = name.Replace(' ', '_'),
                ["path"] = path,
                ["status"] = (int)entry["status"]!,
                ["type"] = (string?)entry["contentType"] ?? "",
            };
            if (accept is not null)
                line["accept"] = accept;
            if ((string?)entry["file"] is { } file)
                line["response"] = Fixtures.Document("discovery/" + file);
            yield return new Recording("discovery", line);
        }
    }
}
