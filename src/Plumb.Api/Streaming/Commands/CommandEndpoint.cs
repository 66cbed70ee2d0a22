using Microsoft.AspNetCore.Http;

namespace Plumb.Api.Streaming.Commands;

/// <summary>`…/pods/NAME/exec` and `…/attach`: the request's parameters, then the wire that the client asked for.</summary>
internal static class CommandEndpoint
{
    private static readonly string[] SpdyProtocols =
        ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

    private static readonly string[] WebSocketProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"];

    public static async Task ServeAsync(HttpContext http, PodIdentity pod, bool attach, IPodRuntime runtime, TimeProvider time)
    {
        CommandAsk ask;
        try
        {
            StreamQuery.Container(http.Request.Query, pod);
            if (!StreamUpgrade.IsWebSocket(http) && !StreamUpgrade.IsSpdy(http))
            {
                await StreamUpgrade.RefuseAsync(http);
                return;
            }

            ask = CommandAsk.Parse(http.Request.Query, pod, attach);
        }
        catch (PodStreamException refusal)
        {
            await StatusAnswer.SendAsync(http, refusal);
            return;
        }

        if (StreamUpgrade.IsWebSocket(http))
        {
            if (await StreamUpgrade.ToWebSocketAsync(http, WebSocketProtocols, "channel.k8s.io") is var (socket, protocol))
                await WebSocketCommandWire.ServeAsync(socket, protocol, ask, wire => RunAsync(wire, pod, ask, runtime, time));
        }
        else if (await StreamUpgrade.ToSpdyAsync(http, SpdyProtocols, "channel.k8s.io") is var (transport, protocol))
        {
            await SpdyCommandWire.ServeAsync(transport, protocol, ask, time, wire => RunAsync(wire, pod, ask, runtime, time));
        }
    }

    private static async Task RunAsync(ICommandWire wire, PodIdentity pod, CommandAsk ask, IPodRuntime runtime, TimeProvider time)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(wire.ClientGone);
        var resizes = wire.Resizes is null ? null : new TerminalResizes(wire.Resizes, ended.Token);
        byte[] lastWords;
        try
        {
            var streams = new CommandStreams(wire.Stdin, wire.Stdout, wire.Stderr, resizes?.Sizes);
            var outcome = ask.Command is { } command
                ? await runtime.ExecAsync(pod, new ExecRequest(ask.Container, command, ask.Terminal), streams, wire.ClientGone)
                : await runtime.AttachAsync(pod, new AttachRequest(ask.Container, ask.Terminal), streams, wire.ClientGone);
            lastWords = LastWords(wire, outcome);
        }
        catch (PodStreamException refusal)
        {
            lastWords = LastWords(wire, refusal);
        }
        catch (Exception) when (wire.ClientGone.IsCancellationRequested)
        {
            // There is nobody left to tell, whatever went wrong on the way out.
            lastWords = [];
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            lastWords = LastWords(wire, PodStreamException.Internal(bug.Message));
        }

        await ended.CancelAsync();
        if (resizes is not null)
            await resizes.Ended;
        await wire.FinishAsync(lastWords, time);
    }

    private static byte[] LastWords(ICommandWire wire, CommandOutcome outcome) => outcome.ExitCode switch
    {
        0 => wire.EndsWithStatus ? StatusAnswer.Success() : [],
        var code => wire.EndsWithStatus ? StatusAnswer.NonZeroExit(code) : System.Text.Encoding.UTF8.GetBytes(StatusAnswer.ExitMessage(code)),
    };

    private static byte[] LastWords(ICommandWire wire, PodStreamException refusal) =>
        wire.EndsWithStatus ? StatusAnswer.Failure(refusal) : System.Text.Encoding.UTF8.GetBytes(refusal.Message);
}

/// <summary>PodExecOptions and PodAttachOptions, core/v1.</summary>
/// <param name="Command">Null for an attach.</param>
/// <param name="Stderr">Never with a terminal, which has one output.</param>
internal sealed record CommandAsk(string Container, IReadOnlyList<string>? Command, bool Stdin, bool Stdout, bool Stderr, bool Terminal)
{
    public static CommandAsk Parse(IQueryCollection query, PodIdentity pod, bool attach)
    {
        var container = StreamQuery.Container(query, pod);
        var terminal = StreamQuery.Flag(query, "tty");
        var (stdin, stdout, stderr) = (StreamQuery.Flag(query, "stdin"), StreamQuery.Flag(query, "stdout"), StreamQuery.Flag(query, "stderr") && !terminal);
        if (!stdin && !stdout && !stderr)
            throw PodStreamException.BadRequest("you must specify at least 1 of stdin, stdout, stderr");
        if (attach)
            return new CommandAsk(container, null, stdin, stdout, stderr, terminal);

        var command = new List<string>();
        foreach (var word in query["command"])
            command.Add(word ?? "");
        if (command.Count == 0)
            throw PodStreamException.BadRequest("you must specify at least one command for the container");
        return new CommandAsk(container, command, stdin, stdout, stderr, terminal);
    }
}
