using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Plumb.Lab.Workloads;

/// <summary>agnhost serve-hostname: whatever is asked, the pod's name.</summary>
/// <param name="tcp">`--tcp`: to whoever comes, without being asked.</param>
/// <param name="close">`--close`: and the connection ends then.</param>
internal sealed class ServeHostname(bool tcp = false, bool close = false) : WorkloadProgram
{
    public override bool TryServe(System.Net.Sockets.Socket client, Workload workload)
    {
        if (tcp)
        {
            _ = SayAsync(client, workload);
        }
        return tcp;
    }

    private async Task SayAsync(System.Net.Sockets.Socket client, Workload workload)
    {
        using (client)
        {
            try
            {
                await client.SendAsync(System.Text.Encoding.UTF8.GetBytes(workload.HostName));
                // The client's end is the end.
                while (!close && await client.ReceiveAsync(new byte[256]) > 0)
                {
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
                // It has left.
            }
        }
    }

    public override string Name => "serve-hostname";

    public override bool AnswersAll => true;

    public override Task AnswerAsync(HttpContext http, Workload workload) => PageAsync(http, 200, "text/plain", workload.HostName);

    public override ReadOnlyMemory<byte> AnswerTo(ReadOnlyMemory<byte> message, System.Net.IPEndPoint client, ushort at, Workload workload) =>
        System.Text.Encoding.UTF8.GetBytes(workload.HostName);

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}

/// <summary>agnhost porter: each port says what its variable (`SERVE_PORT_n`, `SERVE_TLS_PORT_n` and so on) has for it.</summary>
/// <param name="json">`--json-response`: with the method of the request.</param>
internal sealed class Porter(
    IReadOnlyDictionary<ushort, string> http, IReadOnlyDictionary<ushort, string> tls, IReadOnlyDictionary<ushort, string> udp, IReadOnlyDictionary<ushort, string> sctp, bool json) : WorkloadProgram
{
    public override string Name => "porter";

    public override bool AnswersAll => true;

    public override bool SpeaksTls(ushort at) => tls.ContainsKey(at);

    public override Task AnswerAsync(HttpContext context, Workload workload)
    {
        var port = (ushort)context.Connection.LocalPort;
        var words = http.GetValueOrDefault(port) ?? tls.GetValueOrDefault(port, "");
        return json
            ? PageAsync(context, 200, "application/json", new JsonObject { ["Method"] = context.Request.Method, ["Body"] = words }.ToJsonString())
            : PageAsync(context, 200, "text/plain", words);
    }

    public override ReadOnlyMemory<byte> AnswerTo(ReadOnlyMemory<byte> message, System.Net.IPEndPoint client, ushort at, Workload workload) =>
        System.Text.Encoding.UTF8.GetBytes(udp.GetValueOrDefault(at, ""));

    public override string? GreetingOn(ushort at) => sctp.GetValueOrDefault(at);

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}
