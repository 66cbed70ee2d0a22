using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Manifests;

/// <summary>One object that a user wrote down. It has a kind and an apiVersion; whether they exist is for the API server to say.</summary>
/// <param name="File">As the user named it; `stdin` for `-`.</param>
/// <param name="Line">Where its document begins, from 1.</param>
public sealed record Manifest(string File, int Line, JsonObject Object)
{
    public GroupVersionKind Kind => GroupVersionKind.Of((string)Object["apiVersion"]!, (string)Object["kind"]!);

    /// <summary>Empty when it has none (`generateName`).</summary>
    public string Name => Object.At("metadata", "name") is JsonValue value && value.TryGetValue(out string? name) ? name : "";

    /// <summary>Null when the manifest leaves it to whoever applies it.</summary>
    public string? Namespace => Object.At("metadata", "namespace") is JsonValue value && value.TryGetValue(out string? name) ? name : null;

    /// <summary>A complaint about this object, with its place.</summary>
    public ManifestException Fault(string what) => new(File, Line, 0, what);
}
