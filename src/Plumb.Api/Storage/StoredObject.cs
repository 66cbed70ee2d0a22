using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Plumb.Api.Storage;

/// <summary>An entry of `metadata.ownerReferences`.</summary>
/// <param name="Controller">At most one owner of an object is its controller.</param>
/// <param name="BlocksDeletion">`blockOwnerDeletion`: foreground deletion of the owner waits for this object.</param>
public sealed record Owner(string ApiVersion, string Kind, string Name, string Uid, bool Controller, bool BlocksDeletion);

/// <summary>One version of an object: its whole JSON as UTF-8, and what the store must know of it without parsing. Never changes.</summary>
public sealed class StoredObject
{
    /// <summary>No object is nested deeper: what comes in one request may be less deep, and what patches make of it a little more.</summary>
    internal const int MaxDepth = 256;

    internal static readonly JsonReaderOptions Deep = new() { MaxDepth = MaxDepth };

    internal StoredObject(StoreKey key, byte[] json, StoredObject? previous)
    {
        Key = key;
        Json = json;
        var reader = new MetadataReader();
        reader.Read(json);
        Uid = reader.Uid == previous?.Uid ? previous.Uid : reader.Uid;
        ResourceVersion = reader.ResourceVersion;
        VersionAt = reader.VersionAt;
        Generation = reader.Generation;
        CreationTimestamp = reader.CreationTimestamp;
        DeletionTimestamp = reader.DeletionTimestamp;
        DeletionGracePeriodSeconds = reader.DeletionGracePeriodSeconds;
        NodeName = reader.NodeName == previous?.NodeName ? previous.NodeName : reader.NodeName;
        Phase = reader.Phase;
        Finalizers = reader.Finalizers.Count == 0 ? [] : reader.Finalizers;
        Owners = reader.Owners.Count == 0 ? [] : reader.Owners;
        var labels = reader.Labels.Count == 0 ? LabelDictionary.Empty : new LabelDictionary([.. reader.Labels]);
        Labels = labels.Equals(previous?.Labels) ? previous.Labels : labels;
    }

    /// <summary>What a dry run answers with.</summary>
    internal static StoredObject Unstored(StoreKey key, JsonObject root) => new(key, JsonSerializer.SerializeToUtf8Bytes(root, JsonNodeContext.Default.JsonObject), null);

    /// <summary>This state under another version: what a watcher is told of an object that has left its sight.</summary>
    internal StoredObject AtVersion(long resourceVersion)
    {
        var root = ToNode();
        root["metadata"]!["resourceVersion"] = resourceVersion.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Unstored(Key, root);
    }

    public StoreKey Key { get; }

    public string Namespace => Key.Namespace;

    public string Name => Key.Name;

    public string Uid { get; }

    public long ResourceVersion { get; }

    /// <summary>Where in <see cref="Json"/> the text of `metadata.resourceVersion` begins, its quotation mark included; -1: it has none.</summary>
    private int VersionAt { get; }

    public long Generation { get; }

    public DateTimeOffset CreationTimestamp { get; }

    /// <summary>Set once deletion was asked for; the object stays until its grace is over and its finalizers are gone.</summary>
    public DateTimeOffset? DeletionTimestamp { get; }

    public long? DeletionGracePeriodSeconds { get; }

    public bool IsDeleting => DeletionTimestamp is not null;

    public LabelDictionary Labels { get; }

    public IReadOnlyList<string> Finalizers { get; }

    public IReadOnlyList<Owner> Owners { get; }

    /// <summary>The owner that is this object's controller.</summary>
    public Owner? Controller
    {
        get
        {
            foreach (var owner in Owners)
            {
                if (owner.Controller)
                    return owner;
            }

            return null;
        }
    }

    /// <summary>`spec.nodeName`; empty where there is none.</summary>
    public string NodeName { get; }

    /// <summary>`status.phase`; empty where there is none.</summary>
    public string Phase { get; }

    /// <summary>The whole object, `kind` and `apiVersion` included.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>A copy to change: the root of the object.</summary>
    public JsonObject ToNode() => JsonObject.Create(Parse())!;

    /// <summary>For several copies at the price of one: <see cref="JsonObject.Create"/> over it reads only what is asked for.</summary>
    internal JsonElement Parse() => JsonElement.Parse(Json.Span, new JsonDocumentOptions { MaxDepth = MaxDepth });

    /// <summary>The same bytes but for the version.</summary>
    internal bool IsVersionOf(StoredObject other)
    {
        if (VersionAt < 0 || VersionAt != other.VersionAt || !Json.Span[..VersionAt].SequenceEqual(other.Json.Span[..VersionAt]))
            return false;
        return AfterVersion.SequenceEqual(other.AfterVersion);
    }

    /// <summary>As many bytes beside the version; what differs in this differs in content.</summary>
    internal bool IsAsLongAs(StoredObject other) => VersionAt >= 0 && other.VersionAt >= 0 && VersionAt + AfterVersion.Length == other.VersionAt + other.AfterVersion.Length;

    private ReadOnlySpan<byte> AfterVersion
    {
        get
        {
            var rest = Json.Span[(VersionAt + 1)..];
            return rest[rest.IndexOf((byte)'"')..];
        }
    }

    /// <summary>The object as one of the typed records of Plumb.Kubernetes. Each call parses anew.</summary>
    public T As<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Json.Span, type)!;

    /// <summary>The text of the value at a path of member names (`involvedObject.kind`): true and false for booleans, empty for what is absent.</summary>
    public string Field(string path) => path switch
    {
        "metadata.name" => Name,
        "metadata.namespace" => Namespace,
        "spec.nodeName" => NodeName,
        "status.phase" => Phase,
        _ => FieldReader.Read(Json.Span, path),
    };

    public override string ToString() => $"{Key}@{ResourceVersion}";
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class JsonNodeContext : System.Text.Json.Serialization.JsonSerializerContext;
