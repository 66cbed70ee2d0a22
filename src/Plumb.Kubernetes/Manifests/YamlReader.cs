using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Plumb.Kubernetes.Manifests;

/// <summary>YAML to JSON as Kubernetes' own tools turn it: YAML 1.1's scalars, anchors, merge keys, several documents.</summary>
internal sealed class YamlReader
{
    internal const int MaxDepth = 200;

    /// <summary>An alias costs what it stands for, so that a few lines cannot become gigabytes.</summary>
    private const int MaxNodes = 1_000_000;

    private readonly string file;
    private readonly Scanner scanner;
    private readonly Parser parser;
    private readonly Dictionary<AnchorName, JsonNode?> anchors = [];
    private int nodes;

    public YamlReader(string file, string text)
    {
        this.file = file;
        scanner = new Scanner(new StringReader(text), skipComments: true);
        parser = new Parser(scanner);
    }

    /// <summary>Empty documents are left out.</summary>
    /// <exception cref="ManifestException"/>
    public List<(int Line, JsonNode? Node)> Documents()
    {
        var found = new List<(int, JsonNode?)>();
        while (Advance())
        {
            if (parser.Current is not DocumentStart)
                continue;
            anchors.Clear();
            int line = (int)Next().Start.Line;
            if (Node(0) is { } node)
                found.Add((line, node));
        }
        return found;
    }

    /// <summary>Reads the node at the parser's present event and leaves it on its last one.</summary>
    private JsonNode? Node(int depth)
    {
        var at = parser.Current!;
        if (depth > MaxDepth)
            throw Fault(at, $"nested deeper than {MaxDepth}");
        if (++nodes > MaxNodes)
            throw Fault(at, $"more than {MaxNodes} values");
        switch (at)
        {
            case AnchorAlias alias:
                if (!anchors.TryGetValue(alias.Value, out var target))
                    throw Fault(at, $"the alias *{alias.Value} stands before its anchor, or inside it");
                Count(target, at);
                return target?.DeepClone();
            case Scalar scalar:
                return Remember(scalar.Anchor, YamlScalar.Value(scalar, what => Fault(scalar, what)));
            case SequenceStart start:
                var list = new JsonArray();
                while (Next() is not SequenceEnd)
                    list.Add(Node(depth + 1));
                return Remember(start.Anchor, list);
            case MappingStart start:
                return Remember(start.Anchor, Map(depth));
            default:
                throw Fault(at, "expected a value");
        }
    }

    private JsonObject Map(int depth)
    {
        var map = new JsonObject();
        List<JsonObject>? merged = null;
        while (Next() is not MappingEnd)
        {
            var keyEvent = parser.Current!;
            if (keyEvent is Scalar { IsKey: true, Style: ScalarStyle.Plain, Value: "<<" } or Scalar { Style: ScalarStyle.Plain, Value: "<<" })
            {
                Next();
                Merge(Node(depth + 1), keyEvent, merged ??= []);
                continue;
            }
            string key = Key(Node(depth + 1), keyEvent);
            Next();
            if (map.ContainsKey(key))
                throw Fault(keyEvent, $"{key} is set twice in one map");
            map[key] = Node(depth + 1);
        }
        // What the map itself says stands; of several merged maps the first one wins.
        foreach (var source in merged ?? [])
        {
            foreach (var (name, value) in source)
            {
                if (!map.ContainsKey(name))
                    map[name] = value?.DeepClone();
            }
        }
        return map;
    }

    private void Merge(JsonNode? value, ParsingEvent at, List<JsonObject> merged)
    {
        switch (value)
        {
            case JsonObject map:
                merged.Add(map);
                break;
            case JsonArray list:
                foreach (var item in list)
                    merged.Add(item as JsonObject ?? throw Fault(at, "<< takes maps only"));
                break;
            default:
                throw Fault(at, "<< takes maps only");
        }
    }

    /// <summary>JSON's keys are texts: `on:` becomes `true`, `1:` becomes `1`.</summary>
    private string Key(JsonNode? key, ParsingEvent at) => key switch
    {
        JsonValue value when value.TryGetValue(out string? name) => name,
        JsonValue value => value.ToJsonString(),
        null => throw Fault(at, "a key of a map may not be null"),
        _ => throw Fault(at, "a key of a map must be a text"),
    };

    private JsonNode? Remember(AnchorName anchor, JsonNode? node)
    {
        if (!anchor.IsEmpty)
            anchors[anchor] = node?.DeepClone();
        return node;
    }

    private void Count(JsonNode? node, ParsingEvent at)
    {
        if (++nodes > MaxNodes)
            throw Fault(at, $"its aliases stand for more than {MaxNodes} values");
        if (node is JsonObject map)
        {
            foreach (var (_, value) in map)
                Count(value, at);
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list)
                Count(item, at);
        }
    }

    private bool Advance()
    {
        try
        {
            return parser.MoveNext();
        }
        catch (YamlException error)
        {
            // Where it found the fault, not where the construct around it began.
            var at = scanner.CurrentPosition.Line > error.End.Line ? scanner.CurrentPosition : error.End;
            throw new ManifestException(file, (int)at.Line, (int)at.Column, $"not YAML: {Sentence(error)}");
        }
        catch (InvalidOperationException)
        {
            // So the parser ends on some texts for which it has no words.
            throw new ManifestException(file, (int)scanner.CurrentPosition.Line, (int)scanner.CurrentPosition.Column, "not YAML: this cannot stand here");
        }
    }

    private ParsingEvent Next() => Advance() ? parser.Current! : throw new ManifestException(file, 0, 0, "the file ends inside a value");

    private ManifestException Fault(ParsingEvent at, string what) => new(file, (int)at.Start.Line, (int)at.Start.Column, what);

    private static string Sentence(YamlException error)
    {
        string text = error.InnerException is YamlException inner ? inner.Message : error.Message;
        return text.Replace('\n', ' ').TrimEnd('.', ' ') is [var first, .. var rest] ? char.ToLower(first, CultureInfo.InvariantCulture) + rest : "unreadable";
    }
}
