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

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}

/// <summary>agnhost porter: each port says what the variable `SERVE_PORT_n` has for it.</summary>
internal sealed class Porter(IReadOnlyDictionary<ushort, string> words) : WorkloadProgram
{
    public override string Name => "porter";

    public override bool AnswersAll => true;

    public override Task AnswerAsync(HttpContext http, Workload workload) =>
        PageAsync(http, 200, "text/plain", words.GetValueOrDefault((ushort)http.Connection.LocalPort, ""));

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}
