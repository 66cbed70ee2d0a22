using Plumb.Api.Streaming;
using Plumb.Lab.Containers.Roots;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers.Runs;

/// <summary>A command that somebody runs in a container beside what runs there: `kubectl exec`, exec probes.</summary>
internal static class HostCommand
{
    // A child of the command may keep its output open for ever; what it still says then is nobody's.
    private static readonly TimeSpan OutputAfterExit = TimeSpan.FromSeconds(2);

    // A client that has a window tells its size at once; one that has none says nothing.
    private static readonly TimeSpan FirstSize = TimeSpan.FromMilliseconds(200);

    /// <summary>Beside what runs in a container already.</summary>
    /// <param name="request">Program, environment, directory and namespaces; the streams are set here.</param>
    /// <exception cref="PodStreamException">The command could not be started.</exception>
    public static Task<CommandOutcome> RunAsync(
        SpawnRequest request, bool terminal, CommandStreams streams, TimeProvider time, CancellationToken cancel) =>
        RunAsync(with => Task.FromResult(Spawn.Start(with(request))), terminal, streams, time, cancel);

    /// <summary>Where nothing runs: the namespaces are the command's alone.</summary>
    /// <inheritdoc cref="RunAsync(SpawnRequest, bool, CommandStreams, TimeProvider, CancellationToken)"/>
    public static Task<CommandOutcome> RunAsync(Func<FreshCommand> fresh, bool terminal, CommandStreams streams, TimeProvider time, CancellationToken cancel) =>
        RunAsync(
            async with =>
            {
                using var command = fresh();
                var process = command.Start(with);
                await command.StartedAsync();
                return process;
            },
            terminal, streams, time, cancel);

    private static async Task<CommandOutcome> RunAsync(
        Func<Func<SpawnRequest, SpawnRequest>, Task<SpawnedProcess>> start, bool terminal, CommandStreams streams, TimeProvider time, CancellationToken cancel)
    {
        using var console = terminal ? await OpenAsync(streams, time, cancel) : null;
        using var process = await StartAsync(() => start(request => console is not null
            ? OnTerminal(request, console)
            : request with { Input = streams.Stdin is null ? SpawnStream.Null : SpawnStream.Pipe, Output = SpawnStream.Pipe, Error = SpawnStream.Pipe }));
        using var killed = cancel.UnsafeRegister(static child => ((SpawnedProcess)child!).Kill(), process);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);

        var inputs = console is not null
            ? Task.WhenAll(TypeAsync(streams.Stdin, console, ended.Token), ResizeAsync(streams, console, ended.Token))
            : FeedAsync(streams.Stdin, process.Input, ended.Token);
        var outputs = console is not null
            ? CopyAsync(console.Output, streams.Stdout, ended.Token)
            : Task.WhenAll(CopyAsync(process.Output!, streams.Stdout, ended.Token), CopyAsync(process.Error!, streams.Stderr, ended.Token));
        var status = await process.Exited;
        await outputs.WaitAsync(OutputAfterExit, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended.CancelAsync();
        await inputs;
        cancel.ThrowIfCancellationRequested();
        return new CommandOutcome(status.Code);
    }

    /// <summary>A terminal of the size that the client's window has: a program that looks only once looks right at its start.</summary>
    private static async Task<PseudoTerminal> OpenAsync(CommandStreams streams, TimeProvider time, CancellationToken cancel)
    {
        var console = PseudoTerminal.Open();
        using var patience = new CancellationTokenSource(FirstSize, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        try
        {
            if (streams.Resizes is { } sizes && await sizes.WaitToReadAsync(either.Token) && sizes.TryRead(out var size))
            {
                console.Resize(size.Rows, size.Columns);
            }
        }
        catch (OperationCanceledException)
        {
            // Whoever has left is found out when the command runs.
        }
        return console;
    }

    private static SpawnRequest OnTerminal(SpawnRequest request, PseudoTerminal console)
    {
        if (request.User is { IsRoot: false } user)
        {
            console.GiveTo(user.User);
        }
        return request with { Terminal = console };
    }

    private static async Task<SpawnedProcess> StartAsync(Func<Task<SpawnedProcess>> start)
    {
        try
        {
            return await start();
        }
        catch (Exception refused) when (refused is SystemCallException or ContainerStartException)
        {
            throw PodStreamException.Internal($"error executing command in container: {refused.Message}");
        }
    }

    private static async Task CopyAsync(Stream from, Stream? to, CancellationToken cancel)
    {
        try
        {
            await from.CopyToAsync(to ?? Stream.Null, cancel);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A client that is gone: then the token ends the command.
        }
    }

    private static async Task FeedAsync(Stream? from, Stream? to, CancellationToken cancel)
    {
        if (from is null || to is null)
        {
            return;
        }

        try
        {
            await using (to)
            {
                await from.CopyToAsync(to, cancel);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A command need not read all that it is sent.
        }
    }

    internal static async Task TypeAsync(Stream? from, PseudoTerminal console, CancellationToken cancel)
    {
        try
        {
            if (from is not null)
            {
                await from.CopyToAsync(console.Input, cancel);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    internal static async Task ResizeAsync(CommandStreams streams, PseudoTerminal console, CancellationToken cancel)
    {
        if (streams.Resizes is not { } sizes)
        {
            return;
        }

        try
        {
            await foreach (var size in sizes.ReadAllAsync(cancel))
            {
                console.Resize(size.Rows, size.Columns);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }
}
