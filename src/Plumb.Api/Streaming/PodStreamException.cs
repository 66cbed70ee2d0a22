namespace Plumb.Api.Streaming;

/// <summary>A refusal that reaches the client as a Status object: as the HTTP answer while there is none yet, else on the error stream.</summary>
/// <param name="code">The HTTP status code.</param>
/// <param name="reason">A StatusReason of meta/v1: `BadRequest`, `NotFound`, `InternalError`…</param>
public sealed class PodStreamException(int code, string reason, string message) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    public static PodStreamException BadRequest(string message) => new(400, "BadRequest", message);

    public static PodStreamException NotFound(string message) => new(404, "NotFound", message);

    /// <summary>What a real server says when the node failed to do as asked: kubectl prints `Internal error occurred: …`.</summary>
    public static PodStreamException Internal(string message) => new(500, "InternalError", "Internal error occurred: " + message);
}
