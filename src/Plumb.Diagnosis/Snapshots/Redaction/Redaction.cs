using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Linux.Json;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>
/// The same snapshot with other names and addresses, each the same everywhere: 1. all names are collected of parties and objects, 2. each line is written again. docs/snapshot.md
/// says what stays.
/// </summary>
public static class Redaction
{
    /// <summary>Octets of the key by which addresses are replaced. Who has it could undo that: it is to be random, and kept by nobody.</summary>
    public const int KeyBytes = 32;

    // What Plumb's own words stand in, and never a name.
    private static readonly HashSet<string> OwnWords = new(StringComparer.Ordinal)
    {
        "entry", "kind", "owner", "apiVersion", "type", "addressType", "protocol", "family", "messages", "uid", "resourceVersion", "overlay", "services", "plumb", "kernel", "takenAt", "phase",
        "ipFamilyPolicy", "sessionAffinity", "externalTrafficPolicy", "internalTrafficPolicy", "restartPolicy", "dnsPolicy", "operator", "effect",
    };

    private static readonly HashSet<string> RuleKinds = new(StringComparer.Ordinal) { "table", "chain", "set", "element", "object" };

    // Programs of somebody: what they are started with tells more than a network has to do with.
    private static readonly HashSet<string> Dropped = new(StringComparer.Ordinal) { "env", "args", "command", "managedFields", "httpHeaders", "volumeAttributes" };

    // Paths of somebody's programs and machines, by where they stand.
    private static readonly HashSet<string> PathsOf = new(StringComparer.Ordinal) { "httpGet", "service", "hostPath", "paths" };

    // What Plumb itself goes by; in all others stands what people like.
    private static readonly HashSet<string> KeptAnnotations = new(StringComparer.Ordinal)
    {
        Kubernetes.Objects.Service.EndConnectionsAnnotation, "service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints", "deployment.kubernetes.io/revision",
        "endpoints.kubernetes.io/last-change-trigger-time", "endpoints.kubernetes.io/over-capacity",
    };

    private const string AnyUrl = "https://webhook.invalid/";

    private static readonly string[] KnownImages = ["httpd", "nginx", "echo", "agnhost", "busybox", "pause"];

    /// <param name="snapshot">Whole, and with a position that can be set.</param>
    /// <exception cref="SnapshotException">It is none.</exception>
    public static void Write(Stream snapshot, Stream to, byte[] key)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            var names = new NameMask();
            foreach (var line in Lines(snapshot))
            {
                Collect(line, names);
            }
            names.Settle();
            var text = new TextMask(new AddressMask(key), names);
            var lines = new Pass(text);
            using var gzip = new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true);
            foreach (var line in Lines(snapshot))
            {
                gzip.Write(Encoding.UTF8.GetBytes(lines.Of(line).ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })));
                gzip.WriteByte((byte)'\n');
            }
        }
        catch (Exception damaged) when (damaged is JsonException or InvalidDataException or EndOfStreamException)
        {
            throw new SnapshotException($"it cannot be redacted: {damaged.Message.ReplaceLineEndings(" ")}", damaged);
        }
    }

    private static IEnumerable<JsonObject> Lines(Stream snapshot)
    {
        snapshot.Position = 0;
        using var lines = new SnapshotLines(snapshot);
        while (Next(lines) is { } line)
        {
            yield return line;
        }
    }

    private static JsonObject? Next(SnapshotLines lines) =>
        lines.Next() is { Length: > 0 } line ? JsonNode.Parse(line) as JsonObject ?? throw new JsonException("an object is expected") : null;

    private static void Collect(JsonObject line, NameMask names)
    {
        if (line[LineKinds.Object] is { } subject)
        {
            names.Collect(subject);
        }
        if (line[LineKinds.Header] is JsonObject header)
        {
            names.Add((string?)header["name"] ?? "");
        }
        if (line[LineKinds.Party] is JsonObject party)
        {
            names.Add((string?)party["name"] ?? "");
            names.Add((string?)party["scope"] ?? "");
            names.Add((string?)party["node"] ?? "");
            foreach (var search in ((string?)party["resolver"] ?? "").Split('\n').Where(static one => one.StartsWith("search ", StringComparison.Ordinal)))
            {
                names.Add(search["search ".Length..]);
            }
        }
    }

    private sealed class Pass(TextMask text)
    {
        private readonly RuleMask _rules = new(text);
        private readonly FilterMask _filters = new(text.Addresses);

        public JsonObject Of(JsonObject line)
        {
            var masked = Map(line, "");
            if (masked[LineKinds.Header] is JsonObject header)
            {
                header["redacted"] = true;
            }
            return masked;
        }

        private JsonNode? Node(JsonNode? node, string property) => node switch
        {
            JsonObject map => Map(map, property),
            JsonArray list => new JsonArray([.. list.Select(item => Node(item, property))]),
            JsonValue value when value.TryGetValue<string>(out var words) => property == "image" ? Image(words) : OwnWords.Contains(property) ? words : text.Of(words),
            null => null,
            _ => node.DeepClone(),
        };

        private JsonObject Map(JsonObject map, string property)
        {
            if (NameMask.IsLabels(property))
            {
                return Labels(map, property);
            }
            if (map["messages"] is not null && (string?)map["entry"] is { } kind && RuleKinds.Contains(kind))
            {
                var entry = (JsonObject)JsonNode.Parse(StateJson.Print(_rules.Of(StateJson.ReadEntry(map.ToJsonString()))))!;
                entry["namespace"] = text.Of((string)map["namespace"]!);
                return entry;
            }
            if (map["entry"] is JsonValue kindOf && kindOf.TryGetValue<string>(out var filter) && filter == "filter" && StateJson.ReadEntry(map.ToJsonString()) is FilterEntry read)
            {
                map = (JsonObject)JsonNode.Parse(StateJson.Print(_filters.Of(read)))!;
            }
            var isConfigMap = map["kind"] is JsonValue own && own.TryGetValue<string>(out var name) && name == "ConfigMap";
            var masked = new JsonObject();
            foreach (var (key, value) in map)
            {
                if (Dropped.Contains(key) && value is not JsonValue)
                {
                    continue;
                }
                masked[Key(key, property)] = key switch
                {
                    "data" or "binaryData" when isConfigMap => Blank(value),
                    "annotations" => Annotations(value),
                    "path" when PathsOf.Contains(property) => "/",
                    "url" when property == "clientConfig" => AnyUrl,
                    "caBundle" when property == "clientConfig" => "",
                    _ => Node(value, key),
                };
            }
            return masked;
        }

        // Here people choose the keys, so that none of them says what stands behind it. A selector may hold others, by names of Kubernetes' own.
        private JsonObject Labels(JsonObject map, string property)
        {
            var masked = new JsonObject();
            foreach (var (key, value) in map)
            {
                masked[value is JsonValue ? Key(key, property) : key] = value is JsonValue one && one.TryGetValue<string>(out var words) ? text.Of(words) : Node(value, key);
            }
            return masked;
        }

        // Labels are called as people like, and what selects them must go on to.
        private string Key(string key, string property) =>
            NameMask.IsLabels(property) || property == "data" ? NameMask.IsWellKnownKey(key) ? key : text.Of(key) : key;

        private JsonObject Annotations(JsonNode? node)
        {
            var kept = new JsonObject();
            foreach (var (key, value) in node as JsonObject ?? [])
            {
                if (KeptAnnotations.Contains(key))
                {
                    kept[key] = Node(value, "");
                }
            }
            return kept;
        }

        private static JsonNode? Blank(JsonNode? node) => node is JsonObject map ? new JsonObject(map.Select(static one => KeyValuePair.Create(one.Key, (JsonNode?)""))) : node?.DeepClone();

        private static string Image(string image) => KnownImages.FirstOrDefault(known => image.Contains(known, StringComparison.Ordinal)) ?? "image";
    }
}
