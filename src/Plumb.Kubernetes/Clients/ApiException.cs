using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Clients;

/// <summary>The API server refused. The message is the server's own.</summary>
/// <param name="retryAfter">How long it asks to be left alone (Retry-After, as with 429 and 503); null: it does not say.</param>
public sealed class ApiException(Status status, TimeSpan? retryAfter = null) : Exception(status.Message ?? $"the API server answered {status.Code}")
{
    public Status Status { get; } = status;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The HTTP status code.</summary>
    public int Code => Status.Code;

    public bool IsNotFound => Code == 404;

    /// <summary>The asked resourceVersion is too old: list again.</summary>
    public bool IsGone => Code == 410;

    /// <summary>The asked resourceVersion is one that the server has not reached: its store was replaced by an older copy, or it lags behind another server.</summary>
    public bool IsTooLarge => Code == 504 && Status.Details?.Causes.Any(static cause => cause.Reason == "ResourceVersionTooLarge") == true;

    /// <summary>Somebody else wrote first: read again.</summary>
    public bool IsConflict => Code == 409 && Status.Reason != StatusReason.AlreadyExists;

    public bool IsAlreadyExists => Status.Reason == StatusReason.AlreadyExists;

    public bool IsUnauthorized => Code == 401;
}
