using System.Text.Json.Nodes;
using Plumb.CommandLine;

namespace Plumb.Whatif;

/// <summary>Which object of the API is meant.</summary>
/// <param name="Scope">Empty for kinds that live in no namespace.</param>
internal readonly record struct ObjectName(string Kind, string Scope, string Name)
{
    private static readonly string[] Unscoped = ["Node", "Namespace", "PersistentVolume", "StorageClass", "PriorityClass", "IngressClass", "RuntimeClass"];

    private static readonly (string Short, string Kind)[] ShortNames =
    [
        ("svc", "Service"), ("po", "Pod"), ("deploy", "Deployment"), ("rs", "ReplicaSet"), ("ds", "DaemonSet"), ("sts", "StatefulSet"), ("no", "Node"), ("ns", "Namespace"), ("ep", "Endpoints"),
    ];

    public static ObjectName Of(JsonObject json, string defaultScope = "default")
    {
        var kind = Text(json, "kind") ?? "";
        var metadata = json["metadata"] as JsonObject;
        return new ObjectName(kind, Unscoped.Contains(kind) ? "" : Text(metadata, "namespace") is { Length: > 0 } scope ? scope : defaultScope, Text(metadata, "name") ?? "");
    }

    /// <summary>Reads <c>kind/name</c> or <c>kind/namespace/name</c>, with the kind as kubectl takes it.</summary>
    /// <exception cref="UsageException">It is neither, or no such object is there.</exception>
    public static ObjectName Find(string text, IReadOnlyCollection<ObjectName> all)
    {
        var words = text.Split('/');
        if (words.Length is not (2 or 3) || words.Any(static word => word.Length == 0))
        {
            throw new UsageException($"--delete: '{text}' is not KIND/NAME or KIND/NAMESPACE/NAME, such as service/website");
        }
        var matching = all.Where(one => IsCalled(one.Kind, words[0]) && one.Name == words[^1] && (words.Length == 3 ? one.Scope == words[1] : one.Scope is "" or "default")).ToList();
        var near = Nearest.Suggest(words[^1], all.Where(one => IsCalled(one.Kind, words[0])).Select(static one => one.Name));
        return matching.Count > 0 ? matching[0] : throw new UsageException($"--delete: there is no {words[0]} '{string.Join('/', words[1..])}'{near}");
    }

    public override string ToString() => Scope.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Scope}/{Name}";

    private static bool IsCalled(string kind, string word)
    {
        var known = ShortNames.FirstOrDefault(one => one.Short.Equals(word, StringComparison.OrdinalIgnoreCase)).Kind ?? word;
        return kind.Equals(known, StringComparison.OrdinalIgnoreCase) || (kind + "s").Equals(known, StringComparison.OrdinalIgnoreCase) || (kind + "es").Equals(known, StringComparison.OrdinalIgnoreCase);
    }

    private static string? Text(JsonObject? from, string field) => from?[field] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
