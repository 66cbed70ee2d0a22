using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Kubernetes.Json;
using Plumb.Lab.Node;
using Plumb.Linux.Native;

namespace Plumb.Lab.Workloads;

/// <summary>The test server of Kubernetes' own e2e tests (image agnhost, command netexec).</summary>
/// <param name="instead">`--http-override`: path and query that each request is taken for; empty: its own.</param>
/// <param name="hasTls">`--tls-cert-file`: it speaks HTTPS.</param>
internal sealed class Netexec(string instead = "", bool hasTls = false) : WorkloadProgram
{
    private const int MostTries = 100;
    private const int LastExitCode = 127;
    private static readonly TimeSpan DialTime = TimeSpan.FromSeconds(5);

    public override string Name => "netexec";

    public override bool SpeaksTls(ushort at) => hasTls;

    public override void Prepare(HttpContext http)
    {
        if (instead.Length > 0)
        {
            var query = instead.IndexOf('?', StringComparison.Ordinal);
            http.Request.Method = HttpMethods.Get;
            http.Request.Path = "/" + (query < 0 ? instead : instead[..query]).TrimStart('/');
            http.Request.QueryString = new QueryString(query < 0 ? "" : instead[query..]);
        }
    }

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
            case "/exit":
                return ExitAsync(http, workload);
            case "/shutdown":
                workload.Exit(0, TimeSpan.Zero);
                return PageAsync(http, 200, "text/plain", "");
            case "/shell" when workload.Commands is { } commands:
                return NetexecCommands.ShellAsync(http, workload, commands);
            case "/upload" when workload.Commands is { } commands:
                return NetexecCommands.UploadAsync(http, workload, commands);
            default:
                return PageAsync(http, 200, "text/plain", $"NOW: {workload.Now.UtcDateTime:yyyy-MM-dd HH:mm:ss.fffffff} +0000 UTC");
        }
    }

    /// <summary>Commands by UDP and SCTP; the answer to an unknown one is nothing.</summary>
    public override ReadOnlyMemory<byte> AnswerTo(ReadOnlyMemory<byte> message, IPEndPoint client, ushort at, Workload workload)
    {
        var command = Encoding.UTF8.GetString(message.Span).TrimEnd('\n', '\r');
        return command switch
        {
            _ when command.StartsWith("echo ", StringComparison.Ordinal) => Encoding.UTF8.GetBytes(command[5..]),
            _ when command.Equals("hostname", StringComparison.OrdinalIgnoreCase) => Encoding.UTF8.GetBytes(workload.HostName),
            "clientip" => Encoding.UTF8.GetBytes(client.ToString()),
            _ => ReadOnlyMemory<byte>.Empty,
        };
    }

    /// <summary>klog's header: severity and date, time, process id, source.</summary>
    public override string LogLine(HttpContext http, DateTimeOffset startedAt) =>
        $"I{startedAt.UtcDateTime:MMdd HH:mm:ss.ffffff}       1 netexec] {http.Request.Method} {Printable(http.Request.Path.ToUriComponent() + http.Request.QueryString.ToUriComponent())} from {ClientAddress.Of(http)}";

    /// <summary>`code`, `wait` until it begins to end, `timeout` for connections to end; without one they are cut.</summary>
    private static async Task ExitAsync(HttpContext http, Workload workload)
    {
        var query = http.Request.Query;
        if (Duration("timeout") is not { } timeout || Duration("wait") is not { } wait)
        {
            await PageAsync(http, 200, "text/plain", "arguments 'timeout' and 'wait' must be durations, as 500ms, or empty\n");
            return;
        }
        var code = 0;
        if (query["code"].ToString() is { Length: > 0 } given && !(int.TryParse(given, out code) && code is >= 0 and <= LastExitCode))
        {
            await PageAsync(http, 200, "text/plain", $"argument 'code' must be an integer [0-{LastExitCode}] or empty, got \"{given}\"\n");
            return;
        }
        await Task.Delay(wait, workload.Time, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        workload.Exit(code, timeout);
        await PageAsync(http, 200, "text/plain", "");

        TimeSpan? Duration(string name) =>
            query[name].ToString() is not { Length: > 0 } text ? TimeSpan.Zero : GoDuration.TryParse(text, out var duration) ? TimeSpan.FromSeconds(Math.Clamp(duration.TotalSeconds, 0, ContainerSpecs.MostSeconds)) : null;
    }

    /// <summary>Asks another server so many times, and says what it said: `{"responses":[…]}`, `{"errors":[…]}`.</summary>
    private static async Task DialAsync(HttpContext http, Workload workload)
    {
        var query = http.Request.Query;
        var tries = 1;
        var request = query["request"].ToString();
        var host = query["host"].ToString();
        var wrong = query["tries"].ToString() is { Length: > 0 } given && !int.TryParse(given, out tries) ? $"tries parameter is invalid. {given}"
            : request.Length == 0 ? "request parameter not specified."
            : PodDialer.ProtocolOf(query["protocol"]) is null ? $"unsupported protocol. {query["protocol"]}"
            : "";
        var port = ushort.TryParse(query["port"], out var number) ? number : (ushort)0;
        if (wrong.Length == 0)
        {
            try
            {
                _ = port == 0 || host.Length == 0 ? throw new NameException("a name or an address, and a number") : await workload.Dialer.ResolveAsync(host, http.RequestAborted);
            }
            catch (NameException unknown)
            {
                wrong = $"host and/or port param are invalid. {unknown.Message}";
            }
        }
        if (wrong.Length > 0)
        {
            await PageAsync(http, 400, "text/plain", wrong + "\n");
            return;
        }
        var protocol = PodDialer.ProtocolOf(query["protocol"])!.Value;
        var (responses, errors) = (new JsonArray(), new JsonArray());
        for (var i = 0; i < Math.Clamp(tries, 1, MostTries); i++)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            patience.CancelAfter(DialTime);
            try
            {
                responses.Add(protocol == PodProtocol.Tcp
                    ? await AskHttpAsync(workload.Dialer, host, port, request, patience.Token)
                    : await AskAsync(workload.Dialer, protocol, host, port, request, patience.Token));
            }
            catch (Exception failed) when (failed is HttpRequestException or SocketException or SystemCallException or NameException or OperationCanceledException)
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

    private static async Task<string> AskHttpAsync(PodDialer dialer, string host, ushort port, string request, CancellationToken cancel)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (to, token) => new NetworkStream(await dialer.ConnectAsync(PodProtocol.Tcp, to.DnsEndPoint.Host.Trim('[', ']'), (ushort)to.DnsEndPoint.Port, token), ownsSocket: true),
        };
        using var client = new HttpClient(handler);
        var bracketed = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        using var answer = await client.GetAsync(new Uri($"http://{bracketed}:{port}/{request}"), cancel);
        return await answer.Content.ReadAsStringAsync(cancel);
    }

    private static async Task<string> AskAsync(PodDialer dialer, PodProtocol protocol, string host, ushort port, string request, CancellationToken cancel)
    {
        using var socket = await dialer.ConnectAsync(protocol, host, port, cancel);
        var buffer = new byte[65_535];
        await socket.SendAsync(Encoding.UTF8.GetBytes(request), cancel);
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, cancel));
    }
}
