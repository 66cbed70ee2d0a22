namespace Plumb.Kubernetes.Objects;

/// <summary>Names one object among all of a cluster, whatever its version and uid. <see cref="Namespace"/> is empty for kinds that have none.</summary>
public readonly record struct ObjectKey(string Kind, string Namespace, string Name) : IComparable<ObjectKey>
{
    /// <summary>Ordinal, by kind, then namespace, then name.</summary>
    public int CompareTo(ObjectKey other)
    {
        int order = string.CompareOrdinal(Kind, other.Kind);
        if (order == 0)
            order = string.CompareOrdinal(Namespace, other.Namespace);
        return order != 0 ? order : string.CompareOrdinal(Name, other.Name);
    }

    public static bool operator <(ObjectKey left, ObjectKey right) => left.CompareTo(right) < 0;
    public static bool operator >(ObjectKey left, ObjectKey right) => left.CompareTo(right) > 0;
    public static bool operator <=(ObjectKey left, ObjectKey right) => left.CompareTo(right) <= 0;
    public static bool operator >=(ObjectKey left, ObjectKey right) => left.CompareTo(right) >= 0;

    /// <summary>`Pod default/client`, `Node node-1`.</summary>
    public override string ToString() => Namespace.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Namespace}/{Name}";
}

/// <summary>One object as another names it (core/v1 ObjectReference), e.g. what an event is about.</summary>
public sealed record ObjectReference
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public string? Namespace { get; init; }
    public string? Name { get; init; }
    public string? Uid { get; init; }
    public string? ResourceVersion { get; init; }
    public string? FieldPath { get; init; }

    public static ObjectReference To<T>(T subject) where T : IResource<T> => new()
    {
        ApiVersion = T.Type.Kind.ApiVersion,
        Kind = T.Type.Kind.Kind,
        Namespace = subject.Metadata.Namespace,
        Name = subject.Metadata.Name,
        Uid = subject.Metadata.Uid,
        ResourceVersion = subject.Metadata.ResourceVersion,
    };
}
