using Plumb.Kubernetes.Selectors;

namespace Plumb.Kubernetes.Clients;

/// <summary>Which part of a collection.</summary>
public sealed record ListOptions
{
    public static readonly ListOptions All = new();

    /// <summary>Null: of all namespaces.</summary>
    public string? Namespace { get; init; }
    public Selector? Labels { get; init; }
    public FieldSelector? Fields { get; init; }

    /// <summary>Objects for each request; 0 leaves it to the server.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>Null asks for what is newest; `0` for whatever the server has at hand.</summary>
    public string? ResourceVersion { get; init; }
}

/// <summary>What becomes of the objects that a deleted object owns.</summary>
public enum DeletePropagation { Background, Foreground, Orphan }

public sealed record DeleteOptions
{
    /// <summary>Null: what the object itself asks for. 0: at once.</summary>
    public long? GracePeriodSeconds { get; init; }
    public DeletePropagation? Propagation { get; init; }

    /// <summary>Only the very object with this uid.</summary>
    public string? Uid { get; init; }
}
