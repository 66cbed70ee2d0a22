using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Api.Storage;

/// <summary>All that a store holds at one moment, with its resourceVersion: what a backup of etcd is to a cluster. It has the cluster's secrets in it.</summary>
public sealed class StoreCopy
{
    private const string Kind = "PlumbStoreCopy";
    private const int Format = 1;

    /// <summary>How deep an object may be within the file.</summary>
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = StoredObject.MaxDepth + 8 };

    private readonly Dictionary<GroupResource, IReadOnlyList<StoredObject>> _collections;

    internal StoreCopy(long resourceVersion, Dictionary<GroupResource, IReadOnlyList<StoredObject>> collections)
    {
        ResourceVersion = resourceVersion;
        _collections = collections;
    }

    public long ResourceVersion { get; }

    public int Count => _collections.Values.Sum(static objects => objects.Count);

    /// <summary>The uid of the namespace kube-system, by which clusters are told apart; empty: there is none in it.</summary>
    public string Cluster => Of(GroupResource.Namespaces).FirstOrDefault(static one => one.Name == "kube-system")?.Uid ?? "";

    internal IReadOnlyDictionary<GroupResource, IReadOnlyList<StoredObject>> Collections => _collections;

    internal IReadOnlyList<StoredObject> Of(GroupResource resource) => _collections.GetValueOrDefault(resource, []);

    /// <summary>One JSON document, that <see cref="Read"/> reads.</summary>
    public byte[] ToUtf8()
    {
        using var buffer = new MemoryStream();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("kind"u8, Kind);
        json.WriteNumber("format"u8, Format);
        json.WriteNumber("resourceVersion"u8, ResourceVersion);
        json.WriteStartArray("collections"u8);
        foreach (var (resource, objects) in _collections)
        {
            json.WriteStartObject();
            json.WriteString("group"u8, resource.Group);
            json.WriteString("resource"u8, resource.Resource);
            json.WriteStartArray("objects"u8);
            foreach (var stored in objects)
                json.WriteRawValue(stored.Json.Span, skipInputValidation: true);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.ToArray();
    }

    /// <exception cref="StoreCopyException">It is no such copy, or not a whole one.</exception>
    public static StoreCopy Read(ReadOnlyMemory<byte> file)
    {
        try
        {
            using var json = JsonDocument.Parse(file, Deep);
            return Read(json.RootElement);
        }
        catch (JsonException broken)
        {
            throw new StoreCopyException($"this is no copy of a store, or it is cut off or damaged: no JSON from line {(broken.LineNumber ?? 0) + 1}, byte {broken.BytePositionInLine ?? 0} on", broken);
        }
        catch (Exception strange) when (strange is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new StoreCopyException($"this is no copy of a store as `plumb store save` writes it: {strange.Message}", strange);
        }
    }

    private static StoreCopy Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("kind", out var kind) || kind.ValueKind != JsonValueKind.String || kind.GetString() != Kind)
            throw new StoreCopyException("this is no copy of a store: `plumb store save` writes one");
        if (root.GetProperty("format").GetInt32() is var format && format != Format)
            throw new StoreCopyException($"the copy has format {format.ToString(CultureInfo.InvariantCulture)}, this program reads format {Format}: another version of plumb wrote it");
        var version = root.GetProperty("resourceVersion").GetInt64();
        var collections = new Dictionary<GroupResource, IReadOnlyList<StoredObject>>();
        foreach (var collection in root.GetProperty("collections").EnumerateArray())
        {
            var resource = new GroupResource(collection.GetProperty("group").GetString() ?? "", collection.GetProperty("resource").GetString() ?? "");
            var keys = new HashSet<StoreKey>();
            var objects = new List<StoredObject>();
            foreach (var one in collection.GetProperty("objects").EnumerateArray())
            {
                var stored = Read(resource, one);
                if (stored.Name.Length == 0 || stored.Uid.Length == 0 || stored.ResourceVersion is <= 0 || stored.ResourceVersion > version)
                    throw new StoreCopyException($"{stored.Key} in the copy needs a name, a uid and a resourceVersion from 1 to {version.ToString(CultureInfo.InvariantCulture)}");
                if (!keys.Add(stored.Key))
                    throw new StoreCopyException($"{stored.Key} is in the copy twice");
                objects.Add(stored);
            }

            if (!collections.TryAdd(resource, objects))
                throw new StoreCopyException($"{resource} are in the copy twice");
        }

        return new StoreCopy(version, collections);
    }

    private static StoredObject Read(GroupResource resource, JsonElement one)
    {
        var metadata = one.GetProperty("metadata");
        var @namespace = metadata.TryGetProperty("namespace", out var text) ? text.GetString() ?? "" : "";
        return new StoredObject(new StoreKey(resource, @namespace, metadata.GetProperty("name").GetString() ?? ""), InOneLine(one), null);
    }

    /// <summary>Lists and watches send an object's bytes as they are: kind and version come first, and there is no white space.</summary>
    private static byte[] InOneLine(JsonElement one)
    {
        var raw = JsonMarshal.GetRawUtf8Value(one);
        if (raw.StartsWith("{\"kind\":"u8) && !raw.Contains((byte)'\n'))
            return raw.ToArray();
        var root = JsonObject.Create(one)!;
        foreach (var member in (ReadOnlySpan<string>)["apiVersion", "kind"])
        {
            if (root[member]?.DeepClone() is not { } value)
                continue;
            root.Remove(member);
            root.Insert(0, member, value);
        }

        return JsonSerializer.SerializeToUtf8Bytes(root, JsonNodeContext.Default.JsonObject);
    }
}

/// <summary>A copy that cannot take the place of a store; the message says why.</summary>
public sealed class StoreCopyException(string message, Exception? cause = null) : Exception(message, cause);
