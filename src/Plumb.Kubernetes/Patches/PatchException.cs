namespace Plumb.Kubernetes.Patches;

/// <summary>How a server answers a patch that fails.</summary>
public enum PatchFailure
{
    /// <summary>Not a patch at all: 400 BadRequest.</summary>
    Malformed,

    /// <summary>A patch that does not fit the object: 422 Invalid.</summary>
    Inapplicable,

    /// <summary>A strategic merge patch that contradicts its schema: the real server answers 500 without a reason.</summary>
    Contradictory,

    /// <summary>More operations than a server takes: 413 RequestEntityTooLarge.</summary>
    TooLarge,
}

/// <summary>The message is the API server's.</summary>
public sealed class PatchException(PatchFailure failure, string message, string? detail = null) : Exception(message)
{
    public PatchFailure Failure { get; } = failure;

    /// <summary>Says what the server keeps to itself, e.g. which operation of a JSON patch failed and why.</summary>
    public string Detail { get; } = detail ?? message;
}
