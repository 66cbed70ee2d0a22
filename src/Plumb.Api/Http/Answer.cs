using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Storage;

namespace Plumb.Api.Http;

/// <summary>Writes whole answers.</summary>
internal static class Answer
{
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static Task StatusAsync(HttpContext context, ApiException refusal)
    {
        if (refusal.Details?["retryAfterSeconds"] is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToJsonString();
        return JsonAsync(context, refusal.Code, Bytes(refusal.ToStatus()));
    }

    /// <summary>What a real server says of a path that nobody serves.</summary>
    public static Task NoSuchPathAsync(HttpContext context) => TextAsync(context, 404, "404 page not found\n");

    public static async Task TextAsync(HttpContext context, int code, string text, string contentType = "text/plain; charset=utf-8")
    {
        var body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = code;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    public static Task JsonAsync(HttpContext context, int code, JsonNode root) => JsonAsync(context, code, Bytes(root));

    public static async Task JsonAsync(HttpContext context, int code, ReadOnlyMemory<byte> body, string contentType = "application/json")
    {
        var response = context.Response;
        response.StatusCode = code;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-cache, private";
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>RFC 7234 warnings, as the API sends them: kubectl prints their text.</summary>
    public static void Warn(HttpContext context, List<string> warnings)
    {
        foreach (var warning in warnings)
            context.Response.Headers.Append("Warning", $"299 - {Resources.Validation.FieldErrors.Quote(warning)}");
    }

    public static byte[] Bytes(JsonNode root)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
            root.WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }
}
