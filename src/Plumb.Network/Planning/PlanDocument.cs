using System.Text.Json;
using System.Text.Json.Serialization;
using Plumb.Linux.State;

namespace Plumb.Network.Planning;

/// <summary>A plan as one JSON document: what a running agent answers and what <c>plumb plan -o json</c> prints.</summary>
public sealed record PlanDocument
{
    /// <summary>Name of the node that the plan is of.</summary>
    public required string Node { get; init; }

    /// <summary>In order of namespace, kind and name.</summary>
    public required IReadOnlyList<PlannedEntry> Entries { get; init; }

    /// <summary>Entries that two causes want to be different, one line each.</summary>
    public required IReadOnlyList<string> Conflicts { get; init; }

    /// <summary>What could not be planned, one line each.</summary>
    public required IReadOnlyList<string> Refusals { get; init; }

    /// <summary>Only some entries: those with these keys that are planned.</summary>
    public static PlanDocument Of(DesiredIndex index, string node, IReadOnlyList<EntryKey> keys)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(keys);
        var entries = new List<PlannedEntry>(keys.Count);
        foreach (var key in keys)
        {
            if (index.State.Entries.GetValueOrDefault(key) is { } desired)
            {
                entries.Add(PlannedEntry.Of(desired, index.CausesOf(desired), PlanText.Print(desired.Entry, index)));
            }
        }
        return new PlanDocument { Node = node, Entries = entries, Conflicts = [], Refusals = [] };
    }

    /// <summary>Written as it is printed, so that a plan of any length takes little room.</summary>
    public Task WriteAsync(Stream to, CancellationToken cancel) => JsonSerializer.SerializeAsync(to, this, PlanJson.Default.PlanDocument, cancel);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, PlanJson.Default.PlanDocument);

    /// <exception cref="JsonException">It is no such document.</exception>
    public static PlanDocument FromJson(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, PlanJson.Default.PlanDocument) ?? throw new JsonException("null where a plan is expected");

    /// <summary>The origins of each entry, to ask by key.</summary>
    public IReadOnlyDictionary<EntryKey, IReadOnlyList<Origin>> Origins()
    {
        var origins = new Dictionary<EntryKey, IReadOnlyList<Origin>>(Entries.Count);
        foreach (var entry in Entries)
        {
            origins[entry.Key] = [.. entry.Origins.Select(static origin => origin.ToOrigin())];
        }
        return origins;
    }
}

/// <summary>One entry of a plan.</summary>
public sealed record PlannedEntry
{
    public required string Namespace { get; init; }

    public required EntryKind Kind { get; init; }

    /// <summary>The natural key; see <see cref="EntryKey"/>.</summary>
    public required string Name { get; init; }

    /// <summary>As <c>ip</c>, <c>bridge</c>, <c>sysctl</c> or <c>nft</c> would show it.</summary>
    public required string Text { get; init; }

    public string? Stamp { get; init; }

    public required IReadOnlyList<PlannedOrigin> Origins { get; init; }

    /// <summary>How many causes there are besides; null: none.</summary>
    public int? MoreOrigins { get; init; }

    /// <summary>Of an element that was searched for: its key's bytes in hexadecimal digits, by which a kernel is asked for it.</summary>
    public string? ElementKey { get; init; }

    internal static PlannedEntry Of(Desired desired, IReadOnlyList<Origin> causes, string text)
    {
        var key = desired.Entry.Key;
        return new PlannedEntry
        {
            Namespace = key.Namespace.Name,
            Kind = key.Kind,
            Name = key.Name,
            Text = text,
            Stamp = desired.Stamp?.Text,
            Origins = [.. causes.Select(static origin => PlannedOrigin.Of(origin))],
        };
    }

    [JsonIgnore]
    public EntryKey Key => new(new NamespaceId(Namespace), Kind, Name);
}

/// <summary>Keys of entries as they cross between processes: whoever asks for some entries of a plan sends them.</summary>
public static class PlannedKeys
{
    public static byte[] ToJson(IEnumerable<EntryKey> keys) => JsonSerializer.SerializeToUtf8Bytes(
        [.. keys.Select(static key => new PlannedKey { Namespace = key.Namespace.Name, Kind = key.Kind, Name = key.Name })], PlanJson.Default.PlannedKeyArray);

    /// <exception cref="JsonException">They are no keys.</exception>
    public static IReadOnlyList<EntryKey> FromJson(ReadOnlySpan<byte> utf8) =>
        [.. (JsonSerializer.Deserialize(utf8, PlanJson.Default.PlannedKeyArray) ?? throw new JsonException("null where keys are expected"))
            .Select(static key => new EntryKey(new NamespaceId(key.Namespace), key.Kind, key.Name))];
}

/// <summary>An <see cref="EntryKey"/>.</summary>
internal sealed record PlannedKey
{
    public required string Namespace { get; init; }

    public required EntryKind Kind { get; init; }

    public required string Name { get; init; }
}

/// <summary>An <see cref="Origin"/> as it crosses between processes.</summary>
public sealed record PlannedOrigin
{
    public required string Kind { get; init; }

    /// <summary>Kubernetes namespace; absent for things that live in none.</summary>
    public string? Namespace { get; init; }

    public required string Name { get; init; }

    public string? Field { get; init; }

    public static PlannedOrigin Of(Origin origin)
    {
        ArgumentNullException.ThrowIfNull(origin);
        return new PlannedOrigin
        {
            Kind = origin.Subject.Kind.Name,
            Namespace = origin.Subject.Scope.Length == 0 ? null : origin.Subject.Scope,
            Name = origin.Subject.Name,
            Field = origin.Field.Length == 0 ? null : origin.Field,
        };
    }

    public Origin ToOrigin() => new(new Subject(new SubjectKind(Kind), Namespace ?? "", Name), Field ?? "");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(PlanDocument))]
[JsonSerializable(typeof(PlannedKey[]))]
internal sealed partial class PlanJson : JsonSerializerContext;
