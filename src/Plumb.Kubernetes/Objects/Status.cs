using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plumb.Kubernetes.Objects;

/// <summary>meta/v1 Status: the body of every refusal and of some deletions.</summary>
public sealed record Status
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ListMeta Metadata { get => field ?? ListMeta.Empty; init; }

    /// <summary>`Success` or `Failure`.</summary>
    [JsonPropertyName("status")] public string? Outcome { get; init; }
    public string? Message { get; init; }

    /// <summary>Machine-readable, one of <see cref="StatusReason"/>; may be absent.</summary>
    public string? Reason { get; init; }
    public StatusDetails? Details { get; init; }

    /// <summary>The HTTP status code.</summary>
    public int Code { get; init; }
}

public sealed record StatusDetails
{
    public string? Name { get; init; }
    public string? Group { get; init; }
    public string? Kind { get; init; }
    public string? Uid { get; init; }
    public IReadOnlyList<StatusCause> Causes { get => field ?? []; init; }
    public int RetryAfterSeconds { get; init; }
}

public sealed record StatusCause
{
    public string? Reason { get; init; }
    public string? Message { get; init; }
    public string? Field { get; init; }
}

/// <summary>The values of <see cref="Status.Reason"/> (apimachinery, meta/v1).</summary>
public static class StatusReason
{
    public const string Unauthorized = "Unauthorized";
    public const string Forbidden = "Forbidden";
    public const string NotFound = "NotFound";
    public const string AlreadyExists = "AlreadyExists";
    public const string Conflict = "Conflict";
    public const string Gone = "Gone";
    public const string Invalid = "Invalid";
    public const string ServerTimeout = "ServerTimeout";
    public const string Timeout = "Timeout";
    public const string TooManyRequests = "TooManyRequests";
    public const string BadRequest = "BadRequest";
    public const string MethodNotAllowed = "MethodNotAllowed";
    public const string NotAcceptable = "NotAcceptable";
    public const string RequestEntityTooLarge = "RequestEntityTooLarge";
    public const string UnsupportedMediaType = "UnsupportedMediaType";
    public const string InternalError = "InternalError";
    public const string Expired = "Expired";
    public const string ServiceUnavailable = "ServiceUnavailable";
}

public sealed record ListMeta
{
    internal static readonly ListMeta Empty = new();

    public string? ResourceVersion { get; init; }

    /// <summary>Empty on the last page; else the token that asks for the next one.</summary>
    public string? Continue { get; init; }
    public long? RemainingItemCount { get; init; }
}

/// <summary>`PodList`, `NodeList` …</summary>
public sealed record ResourceList<T>
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ListMeta Metadata { get => field ?? ListMeta.Empty; init; }
    public IReadOnlyList<T> Items { get => field ?? []; init; }
}

/// <summary>meta/v1 Table: what `kubectl get` prints.</summary>
public sealed record Table
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ListMeta Metadata { get => field ?? ListMeta.Empty; init; }
    public IReadOnlyList<TableColumn> ColumnDefinitions { get => field ?? []; init; }
    public IReadOnlyList<TableRow> Rows { get => field ?? []; init; }
}

public sealed record TableColumn
{
    public string Name { get => field ?? ""; init; }
    public string Type { get => field ?? ""; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)] public string Format { get => field ?? ""; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)] public string Description { get => field ?? ""; init; }

    /// <summary>0 is always shown, 1 with `-o wide`.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)] public int Priority { get; init; }
}

public sealed record TableRow
{
    public IReadOnlyList<JsonElement> Cells { get => field ?? []; init; }
    public JsonElement? Object { get; init; }
}

/// <summary>One line of a watch as it comes over the wire. <see cref="Type"/> is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR (then the object is a <see cref="Status"/>).</summary>
public sealed record WatchEvent
{
    public string Type { get => field ?? ""; init; }
    public JsonElement Object { get; init; }
}
