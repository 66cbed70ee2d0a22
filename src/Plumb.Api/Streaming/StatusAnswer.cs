using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Plumb.Api.Streaming;

/// <summary>meta/v1 Status objects as these subresources send them: as an HTTP answer, or as the last words on an error stream.</summary>
internal static class StatusAnswer
{
    public static byte[] Success() => Write(static json =>
    {
        json.WriteString("status", "Success");
    });

    public static byte[] Failure(int code, string reason, string message) => Write(json =>
    {
        json.WriteString("status", "Failure");
        json.WriteString("message", message);
        json.WriteString("reason", reason);
        json.WriteNumber("code", code);
    });

    public static byte[] Failure(PodStreamException refusal) => Failure(refusal.Code, refusal.Reason, refusal.Message);

    /// <summary>kubectl takes its own exit status from the cause named `ExitCode` (remotecommand v4).</summary>
    public static byte[] NonZeroExit(int exitCode) => Write(json =>
    {
        json.WriteString("status", "Failure");
        json.WriteString("message", ExitMessage(exitCode));
        json.WriteString("reason", "NonZeroExitCode");
        json.WriteStartObject("details");
        json.WriteStartArray("causes");
        json.WriteStartObject();
        json.WriteString("reason", "ExitCode");
        json.WriteString("message", exitCode.ToString());
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static string ExitMessage(int exitCode) => $"command terminated with non-zero exit code: exit status {exitCode}";

    public static async Task SendAsync(HttpContext http, PodStreamException refusal)
    {
        var body = Failure(refusal);
        http.Response.StatusCode = refusal.Code;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static byte[] Write(Action<Utf8JsonWriter> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("kind", "Status");
            json.WriteString("apiVersion", "v1");
            json.WriteStartObject("metadata");
            json.WriteEndObject();
            fields(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
