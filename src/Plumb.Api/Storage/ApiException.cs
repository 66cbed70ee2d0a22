using System.Text.Json.Nodes;

namespace Plumb.Api.Storage;

/// <summary>A refusal in the API's own terms: it reaches clients as a meta/v1 Status, controllers as this exception.</summary>
/// <param name="code">The HTTP status code.</param>
/// <param name="reason">A StatusReason of meta/v1; empty where the real server gives none.</param>
/// <param name="details">StatusDetails: name, group, kind (the plural), uid, causes, retryAfterSeconds.</param>
public sealed class ApiException(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    public JsonObject? Details { get; } = details;

    /// <summary>`metadata` of the Status; null: there is none.</summary>
    internal JsonObject? Metadata { get; init; }

    public bool IsNotFound => Code == 404;

    /// <summary>An optimistic write met a newer resourceVersion, or a precondition failed: read again, then retry.</summary>
    public bool IsConflict => Code == 409 && Reason == "Conflict";

    public bool IsAlreadyExists => Reason == "AlreadyExists";

    public static ApiException NotFound(StoreKey key) => NotFound(key.Resource, key.Name);

    public static ApiException NotFound(GroupResource resource, string name) =>
        new(404, "NotFound", $"{resource} \"{name}\" not found", DetailsOf(resource, name));

    public static ApiException AlreadyExists(StoreKey key, bool isDeleting = false) =>
        new(409, "AlreadyExists", $"{(isDeleting ? "object is being deleted: " : "")}{key.Resource} \"{key.Name}\" already exists", DetailsOf(key.Resource, key.Name));

    public static ApiException Conflict(StoreKey key, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {key.Resource} \"{key.Name}\": {why}", DetailsOf(key.Resource, key.Name));

    public static ApiException Modified(StoreKey key) =>
        Conflict(key, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Forbidden(GroupResource resource, string name, string why) =>
        new(403, "Forbidden", $"{resource} \"{name}\" is forbidden: {why}", DetailsOf(resource, name));

    /// <summary>The asked resourceVersion is older than the history: list again.</summary>
    public static ApiException Expired(long asked, long oldest) =>
        new(410, "Expired", $"too old resource version: {asked} ({oldest})");

    /// <summary>The asked resourceVersion is one that the store has not reached.</summary>
    public static ApiException TooLarge(string asked, long now) => new(504, "Timeout", $"Timeout: Too large resource version: {asked}, current: {now}",
        new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }), ["retryAfterSeconds"] = 1 });

    /// <summary>For a moment; a client tries again by itself.</summary>
    public static ApiException Unavailable(string why) => new(503, "ServiceUnavailable", why, new JsonObject { ["retryAfterSeconds"] = 1 });

    public static ApiException Internal(string message) => new(500, "InternalError", "Internal error occurred: " + message,
        new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["message"] = message }) });

    public static JsonObject DetailsOf(GroupResource resource, string name)
    {
        var details = new JsonObject();
        if (name.Length > 0)
            details["name"] = name;
        if (resource.Group.Length > 0)
            details["group"] = resource.Group;
        details["kind"] = resource.Resource;
        return details;
    }

    /// <summary>The meta/v1 Status that says this.</summary>
    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = Metadata?.DeepClone() ?? new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (Reason.Length > 0)
            status["reason"] = Reason;
        if (Details is not null)
            status["details"] = Details.DeepClone();
        status["code"] = Code;
        return status;
    }
}
