namespace Plumb.Api.Resources;

/// <summary>How a write is meant (CreateOptions, UpdateOptions, PatchOptions of meta/v1).</summary>
public sealed record WriteOptions
{
    public static readonly WriteOptions Default = new();

    /// <summary>For what a real server makes itself: the fields are its own.</summary>
    internal static readonly WriteOptions OfServer = new() { Manager = "kube-apiserver" };

    /// <summary>Everything but the storing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Takes what the API would say in Warning headers. Null: nobody listens.</summary>
    public ICollection<string>? Warnings { get; init; }

    /// <summary>Who takes the fields that the write changes. Null: nobody, as for the server's own controllers and the nodes' agents.</summary>
    internal string? Manager { get; init; }

    /// <summary>Who writes. Null: the server itself, which no rule stops.</summary>
    internal Access.UserInfo? User { get; init; }

    /// <summary>`metadata.managedFields` is already as it shall be: the write is an apply.</summary>
    internal bool Applies { get; init; }

    /// <summary>The write of a scheduler: the only one that may set a pod's node.</summary>
    internal bool Binding { get; init; }

    /// <summary>Policies have been asked about the write already, as what it is: a binding, a scale.</summary>
    internal bool IsAsked { get; init; }
}

/// <summary>How a deletion is meant (DeleteOptions of meta/v1).</summary>
public sealed record DeleteOptions
{
    public static readonly DeleteOptions Default = new();

    /// <summary>What a kubelet sends when the pod's containers are gone.</summary>
    public static readonly DeleteOptions Now = new() { GracePeriodSeconds = 0 };

    /// <summary>Null: what the object itself asks for.</summary>
    public long? GracePeriodSeconds { get; init; }

    public Propagation? Propagation { get; init; }

    /// <summary>Only this very object. Null: whichever has the name.</summary>
    public string? Uid { get; init; }

    public long? ResourceVersion { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Who deletes. Null: the server itself.</summary>
    internal Access.UserInfo? User { get; init; }

    /// <summary>Policies have been asked already, about what it is: an eviction.</summary>
    internal bool IsAsked { get; init; }
}

/// <summary>What becomes of dependents.</summary>
public enum Propagation
{
    Background,
    Foreground,
    Orphan,
}

/// <summary>The part of an object that an update is about.</summary>
public enum Part
{
    /// <summary>All but the status, where the resource has one.</summary>
    Main,
    Status,

    /// <summary>`finalize` of a namespace: only `spec.finalizers`.</summary>
    Finalize,

    /// <summary>`ephemeralcontainers` of a pod: only `spec.ephemeralContainers`.</summary>
    EphemeralContainers,

    /// <summary>`resize` of a pod: only `resources` of its containers.</summary>
    Resize,
}

internal static class Parts
{
    /// <returns>Null: the subresource is not a part of its object.</returns>
    public static Part? Find(string subresource) => subresource switch
    {
        "" => Part.Main,
        "status" => Part.Status,
        "finalize" => Part.Finalize,
        "ephemeralcontainers" => Part.EphemeralContainers,
        "resize" => Part.Resize,
        _ => null,
    };

    extension(Part part)
    {
        /// <summary>As it stands in a request's path; empty for the object itself.</summary>
        public string Subresource => part == Part.Main ? "" : part.ToString().ToLowerInvariant();
    }
}
