using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;

namespace Plumb.Kubernetes.Manifests;

/// <summary>Reads objects from YAML or JSON files, folders and standard input, in the order in which they stand.</summary>
public static class ManifestReader
{
    /// <param name="path">A file, a folder (searched to the bottom for *.yaml, *.yml and *.json, in the order of their names), or `-`.</param>
    /// <param name="stdin">Read when the path is `-`.</param>
    /// <exception cref="ManifestException"/>
    public static IReadOnlyList<Manifest> Read(string path, Stream? stdin = null)
    {
        var found = new List<Manifest>();
        if (path == "-")
        {
            using var copy = new MemoryStream();
            (stdin ?? throw new ManifestException("stdin", 0, 0, "there is no standard input")).CopyTo(copy);
            Parse("stdin", copy.ToArray(), found);
        }
        else if (Directory.Exists(path))
        {
            foreach (string file in FilesIn(path))
                Parse(file, Load(file), found);
            if (found.Count == 0)
                throw new ManifestException(path, 0, 0, "no object in any *.yaml, *.yml or *.json file of this folder");
        }
        else
        {
            Parse(path, Load(path), found);
        }
        return found;
    }

    /// <param name="file">Named in errors.</param>
    /// <exception cref="ManifestException"/>
    public static IReadOnlyList<Manifest> Parse(string file, ReadOnlyMemory<byte> utf8)
    {
        var found = new List<Manifest>();
        Parse(file, utf8, found);
        return found;
    }

    /// <summary>The one document of a YAML or JSON file that is no object of the API, e.g. a kubeconfig. Null when it is empty.</summary>
    /// <exception cref="ManifestException"/>
    public static JsonObject? ReadDocument(string file, ReadOnlyMemory<byte> utf8)
    {
        foreach (var (line, node) in Documents(file, utf8))
            return node as JsonObject ?? throw new ManifestException(file, line, 0, $"expected a map, found {Describe(node)}");
        return null;
    }

    private static void Parse(string file, ReadOnlyMemory<byte> utf8, List<Manifest> found)
    {
        foreach (var (line, node) in Documents(file, utf8))
            Add(file, line, node, found, "");
    }

    private static void Add(string file, int line, JsonNode? node, List<Manifest> found, string place)
    {
        if (node is not JsonObject map)
            throw new ManifestException(file, line, 0, $"{place}expected an object with apiVersion and kind, found {Describe(node)}");
        foreach (string name in (ReadOnlySpan<string>)["apiVersion", "kind"])
        {
            if (map[name] is null)
                throw new ManifestException(file, line, 0, $"{place}the object has no {name}");
            if (map[name] is not JsonValue value || value.GetValueKind() != JsonValueKind.String || value.GetValue<string>().Length == 0)
                throw new ManifestException(file, line, 0, $"{place}{name} must be a text, found {Describe(map[name])}");
        }
        if (((string)map["kind"]!).EndsWith("List", StringComparison.Ordinal) && map["items"] is JsonArray items)
        {
            for (int i = 0; i < items.Count; i++)
                Add(file, line, items[i]?.DeepClone(), found, $"{place}items[{i}]: ");
        }
        else if (map["metadata"] is not JsonObject && map.ContainsKey("metadata"))
        {
            throw new ManifestException(file, line, 0, $"{place}metadata must be a map, found {Describe(map["metadata"])}");
        }
        else
        {
            found.Add(new Manifest(file, line, map));
        }
    }

    private static IEnumerable<(int Line, JsonNode? Node)> Documents(string file, ReadOnlyMemory<byte> utf8)
    {
        var text = utf8.Span;
        if (text.StartsWith("\uFEFF"u8))
            utf8 = utf8[3..];
        bool isJson = utf8.Span.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..];
        // What begins like JSON may still be YAML in braces, unless its name says otherwise.
        if (isJson && (file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || IsJson(utf8)))
            return JsonDocuments(file, utf8);
        return new YamlReader(file, Decode(file, utf8)).Documents();
    }

    private static bool IsJson(ReadOnlyMemory<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8.Span, new JsonReaderOptions { AllowMultipleValues = true });
        try
        {
            while (reader.Read())
            {
                reader.Skip();
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static List<(int, JsonNode?)> JsonDocuments(string file, ReadOnlyMemory<byte> utf8)
    {
        var found = new List<(int, JsonNode?)>();
        var reader = new Utf8JsonReader(utf8.Span, new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = YamlReader.MaxDepth });
        try
        {
            while (reader.Read())
            {
                int line = 1 + utf8.Span[..(int)reader.TokenStartIndex].Count((byte)'\n');
                using var document = JsonDocument.ParseValue(ref reader);
                found.Add((line, JsonTrees.Copy(document.RootElement)));
            }
        }
        catch (JsonException error)
        {
            throw new ManifestException(file, (int)(error.LineNumber ?? 0) + 1, (int)(error.BytePositionInLine ?? 0) + 1, $"not JSON: {GoJson.SyntaxError(utf8.Span)}");
        }
        return found;
    }

    private static string Decode(string file, ReadOnlyMemory<byte> utf8)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8.Span);
        }
        catch (DecoderFallbackException error)
        {
            int line = 1 + utf8.Span[..error.Index].Count((byte)'\n');
            throw new ManifestException(file, line, 0, "not text: these bytes are not UTF-8");
        }
    }

    private static byte[] Load(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ManifestException(file, 0, 0, "no such file or folder");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ManifestException(file, 0, 0, $"cannot be read: {error.Message}");
        }
    }

    private static List<string> FilesIn(string folder)
    {
        var files = new List<string>();
        try
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                if (Path.GetExtension(file) is ".yaml" or ".yml" or ".json")
                    files.Add(file);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ManifestException(folder, 0, 0, $"cannot be read: {error.Message}");
        }
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    private static string Describe(JsonNode? node) => node?.GetValueKind() switch
    {
        null => "nothing",
        JsonValueKind.Object => "a map",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"the text \"{node.GetValue<string>()}\"",
        JsonValueKind.Number => $"the number {node.ToJsonString()}",
        _ => node.ToJsonString(),
    };
}
