using System.Text;
using Microsoft.AspNetCore.Http;

namespace Plumb.Lab.Workloads;

/// <summary>
/// agnhost grpc-health-checking: the health service of gRPC (grpc.health.v1.Health/Check, by hand: its messages have one field each) on one port, and on the other
/// pages that make it serve or not.
/// </summary>
/// <param name="service">The one that it knows beside the nameless.</param>
internal sealed class GrpcHealthChecking(ushort port, string service) : WorkloadProgram
{
    private const int FrameHeader = 5; // compressed or not, then the length (big-endian)
    private const int MostBytes = 4096;
    private const byte Serving = 1, NotServing = 2;

    private volatile bool _serves = true;

    public override string Name => "grpc-health-checking";

    public override bool AnswersAll => true;

    public override bool SpeaksHttp2(ushort at) => at == port;

    public override Task AnswerAsync(HttpContext http, Workload workload)
    {
        switch (http.Request.Path.Value)
        {
            case "/grpc.health.v1.Health/Check" when HttpProtocol.IsHttp2(http.Request.Protocol):
                return CheckAsync(http);
            case "/make-serving":
                _serves = true;
                return PageAsync(http, 200, "text/plain", "");
            case "/make-not-serving":
                _serves = false;
                return PageAsync(http, 200, "text/plain", "");
            default:
                return HttpProtocol.IsHttp2(http.Request.Protocol) ? RefuseAsync(http, 12, "unknown method") : PageAsync(http, 404, "text/plain", "404 page not found\n");
        }
    }

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);

    private async Task CheckAsync(HttpContext http)
    {
        var body = new byte[MostBytes];
        var length = await http.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, http.RequestAborted);
        if (Asked(body.AsSpan(0, length)) is not { } asked)
        {
            await RefuseAsync(http, 13, "the request is no HealthCheckRequest");
            return;
        }
        if (asked.Length > 0 && asked != service)
        {
            await RefuseAsync(http, 5, "unknown service");
            return;
        }
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 0x08, _serves ? Serving : NotServing }, http.RequestAborted);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    // Without a body the status stands among the headers (Trailers-Only).
    private static Task RefuseAsync(HttpContext http, int code, string message)
    {
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = $"{code}";
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
        return Task.CompletedTask;
    }

    /// <summary>message HealthCheckRequest { string service = 1; }</summary>
    /// <returns>Null for what is none.</returns>
    private static string? Asked(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FrameHeader || frame[0] != 0)
        {
            return null;
        }
        var message = frame[FrameHeader..];
        // Names of 128 bytes and more have a longer length, and are nobody's here.
        return message.IsEmpty ? "" : message.Length >= 2 && message[0] == 0x0a && message[1] == message.Length - 2 && message[1] < 0x80 ? Encoding.UTF8.GetString(message[2..]) : null;
    }
}
