using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Plumb.Lab.Node.Probes;

/// <summary>The health check of gRPC (grpc.health.v1.Health/Check) by hand: one call without TLS, its two messages have one field each.</summary>
internal static class GrpcHealth
{
    private const int FrameHeader = 5; // compressed or not, then the length (big-endian)
    private static readonly string[] Statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

    /// <returns>Null when it serves, else why not, in a kubelet's words.</returns>
    /// <exception cref="HttpRequestException">Nobody answers there, or not in gRPC.</exception>
    public static async Task<string?> CheckAsync(HttpMessageInvoker http, Uri server, string service, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, "/grpc.health.v1.Health/Check"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Frame(service)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.34");
        using var answer = await http.SendAsync(request, cancel);
        var body = await answer.Content.ReadAsByteArrayAsync(cancel);
        var code = Value(answer.TrailingHeaders, "grpc-status") ?? Value(answer.Headers, "grpc-status") ?? "2";
        var message = Uri.UnescapeDataString(Value(answer.TrailingHeaders, "grpc-message") ?? Value(answer.Headers, "grpc-message") ?? "");
        return code switch
        {
            "0" => Status(body) is var status && status == 1 ? null : $"service unhealthy (responded with \"{(status < Statuses.Length ? Statuses[status] : status)}\")",
            "12" => $"this server does not implement the grpc health protocol (grpc.health.v1.Health): {message}",
            "5" => $"service \"{service}\" is not known to the server: {message}",
            _ => $"error: health rpc failed: rpc error: code = {code} desc = {message}",
        };
    }

    // message HealthCheckRequest { string service = 1; }
    private static byte[] Frame(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        using var frame = new MemoryStream();
        using var message = new MemoryStream();
        if (name.Length > 0)
        {
            message.WriteByte(0x0a);
            for (var left = (uint)name.Length; ; left >>= 7)
            {
                message.WriteByte((byte)(left < 0x80 ? left : left | 0x80));
                if (left < 0x80)
                {
                    break;
                }
            }
            message.Write(name);
        }
        frame.Write([0, 0, 0, (byte)(message.Length >> 8), (byte)message.Length]);
        message.WriteTo(frame);
        return frame.ToArray();
    }

    // message HealthCheckResponse { ServingStatus status = 1; }: nothing at all is 0.
    private static int Status(byte[] body) => body.Length >= FrameHeader + 2 && body[FrameHeader] == 0x08 ? body[FrameHeader + 1] : 0;

    private static string? Value(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.First() : null;
}
