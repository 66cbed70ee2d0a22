using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Lab.Workloads;

/// <summary>The test server of Kubernetes' own e2e tests (image agnhost, command netexec).</summary>
internal sealed class Netexec : WorkloadProgram
{
    private static readonly TimeSpan DialTime = TimeSpan.FromSeconds(5);
    private const int MostTries = 100;

    public override string Name => "netexec";

    public override Task AnswerAsync(HttpContext http, Workload workload)
    {
        var query = http.Request.Query;
        switch (http.Request.Path.Value)
        {
            case "/hostName":
                return PageAsync(http, 200, "text/plain", workload.HostName);
            case "/header":
                return PageAsync(http, 200, "text/plain", http.Request.Headers[query["key"].ToString()].ToString());
            case "/dial":
                return DialAsync(http, workload);
            case "/redirect":
                http.Response.Headers.Location = query["location"].ToString();
                return PageAsync(http, int.TryParse(query["code"], out var redirect) && redirect is >= 300 and < 400 ? redirect : 302, "text/plain", "");
            case "/exit" or "/shutdown":
                workload.Exit(int.TryParse(query["code"], out var code) ? code & 0xff : 0);
                return PageAsync(http, 200, "text/plain", "");
            case "/shell" or "/upload":
                return PageAsync(http, 501, "text/plain", "Plumb's built-in netexec runs no commands; give the lab the image: plumb up --image agnhost=PATH\n");
            default:
                return PageAsync(http, 200, "text/plain", $"NOW: {workload.Now.UtcDateTime:yyyy-MM-dd HH:mm:ss.fffffff} +0000 UTC");
        }
    }

    /// <summary>klog's header: severity and date, time, process id, source.</summary>
    public override string LogLine(HttpContext http, DateTimeOffset startedAt) =>
        $"I{startedAt.UtcDateTime:MMdd HH:mm:ss.ffffff}       1 netexec] {http.Request.Method} {Printable(http.Request.Path.ToUriComponent() + http.Request.QueryString.ToUriComponent())} from {ClientAddress.Of(http)}";

    /// <summary>Asks another server so many times, and says what it said: `{"responses":[…]}`, `{"errors":[…]}`.</summary>
    private static async Task DialAsync(HttpContext http, Workload workload)
    {
        var query = http.Request.Query;
        var protocol = query["protocol"].ToString().ToLowerInvariant();
        if (!IPAddress.TryParse(query["host"], out var host) || !ushort.TryParse(query["port"], out var port))
        {
            await PageAsync(http, 400, "text/plain", $"host and port must be an address and a number: {query["host"]}:{query["port"]}");
            return;
        }
        var tries = int.TryParse(query["tries"], out var given) ? Math.Clamp(given, 1, MostTries) : 1;
        var (responses, errors) = (new JsonArray(), new JsonArray());
        for (var i = 0; i < tries; i++)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            patience.CancelAfter(DialTime);
            try
            {
                responses.Add(protocol == "udp"
                    ? await AskUdpAsync(workload.Network, new IPEndPoint(host, port), query["request"].ToString(), patience.Token)
                    : await AskHttpAsync(workload.Network, new IPEndPoint(host, port), query["request"].ToString(), patience.Token));
            }
            catch (Exception failed) when (failed is HttpRequestException or SocketException or SystemCallException or OperationCanceledException)
            {
                errors.Add(failed is OperationCanceledException ? "i/o timeout" : failed.Message);
            }
        }
        var answer = new JsonObject();
        if (responses.Count > 0)
        {
            answer["responses"] = responses;
        }
        if (errors.Count > 0)
        {
            answer["errors"] = errors;
        }
        await PageAsync(http, 200, "text/plain", answer.ToJsonString());
    }

    private static async Task<string> AskHttpAsync(NetworkNamespace network, IPEndPoint to, string request, CancellationToken cancel)
    {
        using var handler = new SocketsHttpHandler { ConnectCallback = async (_, token) => new NetworkStream(await network.ConnectTcpAsync(to, token), ownsSocket: true) };
        using var client = new HttpClient(handler);
        return await client.GetStringAsync(new Uri($"http://{to}/{request}"), cancel);
    }

    private static async Task<string> AskUdpAsync(NetworkNamespace network, IPEndPoint to, string request, CancellationToken cancel)
    {
        using var socket = network.OpenUdp(to.AddressFamily);
        var buffer = new byte[65_535];
        await socket.SendToAsync(Encoding.UTF8.GetBytes(request), SocketFlags.None, to, cancel);
        var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(to.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0), cancel);
        return Encoding.UTF8.GetString(buffer, 0, received.ReceivedBytes);
    }
}
