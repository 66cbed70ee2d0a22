using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Plumb.Api.Streaming;

namespace Plumb.Api.Tests.Streaming;

/// <summary>A runtime without containers: commands run on this machine, port-forwards go to this machine's loopback address.</summary>
internal sealed class HostRuntime : IPodRuntime
{
    public ConcurrentQueue<LogRequest> Logs { get; } = new();

    public ConcurrentQueue<ExecRequest> Execs { get; } = new();

    public Channel<TerminalSize> Sizes { get; } = Channel.CreateUnbounded<TerminalSize>();

    public TaskCompletionSource ClientGone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task LogAsync(PodIdentity pod, LogRequest request, Stream output, CancellationToken cancel)
    {
        Logs.Enqueue(request);
        await output.WriteAsync("one\ntwo\n"u8.ToArray(), cancel);
        await output.FlushAsync(cancel);
        if (request.Follow)
            await output.WriteAsync("three\n"u8.ToArray(), cancel);
    }

    public async Task<CommandOutcome> ExecAsync(PodIdentity pod, ExecRequest request, CommandStreams streams, CancellationToken cancel)
    {
        Execs.Enqueue(request);
        switch (request.Command[0])
        {
            case "no-such-command":
                throw PodStreamException.Internal("exec: \"no-such-command\": executable file not found in $PATH");
            case "sizes":
                return await ReportSizesAsync(streams, cancel);
            case "wait":
                return await WaitAsync(streams, cancel);
            default:
                return await RunAsync(request.Command, streams, cancel);
        }
    }

    public async Task<CommandOutcome> AttachAsync(PodIdentity pod, AttachRequest request, CommandStreams streams, CancellationToken cancel)
    {
        await streams.Stdout!.WriteAsync("attached\n"u8.ToArray(), cancel);
        return new CommandOutcome(0);
    }

    public IReadOnlyList<IPAddress>? AddressesOf(string node) => node == "n" ? [IPAddress.Parse("192.0.2.1"), IPAddress.Loopback] : null;

    public ValueTask<Stream> ConnectToNodeAsync(string name, IPEndPoint to, CancellationToken cancel) => ConnectAsync(new PodIdentity("", "", "", name, []), to.Port, cancel);

    public async ValueTask<Stream> ConnectAsync(PodIdentity pod, int port, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync("127.0.0.1", port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Hands each size to the test and ends when the client's input does.</summary>
    private async Task<CommandOutcome> ReportSizesAsync(CommandStreams streams, CancellationToken cancel)
    {
        var sizes = Task.Run(
            async () =>
            {
                await foreach (var size in streams.Resizes!.ReadAllAsync(cancel))
                    Sizes.Writer.TryWrite(size);
            },
            cancel);
        var typed = new byte[100];
        var length = await streams.Stdin!.ReadAsync(typed, cancel);
        await streams.Stdout!.WriteAsync(Encoding.UTF8.GetBytes("typed: " + Encoding.UTF8.GetString(typed, 0, length).Trim() + "\r\n"), cancel);
        _ = sizes;
        return new CommandOutcome(0);
    }

    private async Task<CommandOutcome> WaitAsync(CommandStreams streams, CancellationToken cancel)
    {
        await streams.Stdout!.WriteAsync("waiting\n"u8.ToArray(), cancel);
        try
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }
        finally
        {
            ClientGone.SetResult();
        }

        return new CommandOutcome(0);
    }

    private static async Task<CommandOutcome> RunAsync(IReadOnlyList<string> command, CommandStreams streams, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var input = FeedAsync(streams.Stdin, process.StandardInput.BaseStream, ended.Token);
        await Task.WhenAll(
            process.StandardOutput.BaseStream.CopyToAsync(streams.Stdout ?? Stream.Null, cancel),
            process.StandardError.BaseStream.CopyToAsync(streams.Stderr ?? Stream.Null, cancel));
        await process.WaitForExitAsync(cancel);
        await ended.CancelAsync();
        await input;
        return new CommandOutcome(process.ExitCode);
    }

    private static async Task FeedAsync(Stream? from, Stream to, CancellationToken cancel)
    {
        try
        {
            await using (to)
            {
                if (from is not null)
                    await from.CopyToAsync(to, cancel);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
        }
    }
}
