using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Patches;

public enum PatchKind { Json, Merge, StrategicMerge, Apply }

/// <summary>A change to an object, as one of the API's patch formats states it.</summary>
public abstract class Patch
{
    public const string JsonMediaType = "application/json-patch+json";
    public const string MergeMediaType = "application/merge-patch+json";
    public const string StrategicMergeMediaType = "application/strategic-merge-patch+json";
    public const string ApplyMediaType = "application/apply-patch+yaml";

    private protected Patch()
    {
    }

    public abstract PatchKind Kind { get; }

    /// <summary>The patch as it goes over the wire.</summary>
    public abstract JsonNode ToNode();

    /// <summary>Gives the changed object and leaves <paramref name="original"/> as it is.</summary>
    /// <param name="kind">Only a strategic merge patch asks for it.</param>
    /// <exception cref="PatchException"/>
    public abstract JsonObject Apply(JsonObject original, GroupVersionKind kind);

    /// <exception cref="PatchException">Malformed, with the server's text.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="PatchKind.Apply"/> is a configuration that is applied, no patch of its own.</exception>
    public static Patch Parse(PatchKind kind, ReadOnlySpan<byte> utf8) => kind switch
    {
        PatchKind.Json => JsonPatch.Parse(Decode(utf8)),
        PatchKind.Merge => new MergePatch(AsObject(Decode(utf8))),
        PatchKind.StrategicMerge => new StrategicMergePatch(AsObject(Decode(utf8))),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no patch format"),
    };

    public static string MediaTypeOf(PatchKind kind) => kind switch
    {
        PatchKind.Json => JsonMediaType,
        PatchKind.Merge => MergeMediaType,
        PatchKind.StrategicMerge => StrategicMergeMediaType,
        _ => ApplyMediaType,
    };

    private static JsonNode? Decode(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = JsonTrees.MaxDepth });
            using var document = JsonDocument.ParseValue(ref reader);
            if (!utf8[(int)reader.BytesConsumed..].Trim(" \t\r\n"u8).IsEmpty)
                throw new JsonException();
            return JsonTrees.Copy(document.RootElement);
        }
        catch (JsonException)
        {
            throw new PatchException(PatchFailure.Malformed, $"error decoding patch: {GoJson.SyntaxError(utf8)}");
        }
    }

    private static JsonObject AsObject(JsonNode? node) => node as JsonObject ?? throw new PatchException(
        PatchFailure.Malformed, $"error decoding patch: json: cannot unmarshal {GoJson.TypeName(node)} into Go value of type map[string]interface {{}}");
}
