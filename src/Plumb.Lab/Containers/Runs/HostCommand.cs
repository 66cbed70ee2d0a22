using Plumb.Api.Streaming;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers.Runs;

/// <summary>A command that somebody runs in a container beside what runs there: `kubectl exec`, exec probes.</summary>
internal static class HostCommand
{
    // A child of the command may keep its output open for ever; what it still says then is nobody's.
    private static readonly TimeSpan OutputAfterExit = TimeSpan.FromSeconds(2);

    /// <param name="request">Program, environment, directory and namespaces; the streams are set here.</param>
    /// <exception cref="PodStreamException">The command could not be started.</exception>
    public static async Task<CommandOutcome> RunAsync(
        SpawnRequest request, bool terminal, CommandStreams streams, TimeProvider time, CancellationToken cancel)
    {
        if (request.Namespaces is { OwnPids: true } fresh && WhyNot(request.Program, fresh.Mounts) is { } why)
        {
            throw PodStreamException.Internal($"error executing command in container: {why}");
        }

        using var console = terminal ? PseudoTerminal.Open() : null;
        using var process = Start(console is not null
            ? request with { Terminal = console }
            : request with { Input = streams.Stdin is null ? SpawnStream.Null : SpawnStream.Pipe, Output = SpawnStream.Pipe, Error = SpawnStream.Pipe });
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

    /// <summary>
    /// Why a program named by its whole path cannot be run; null when it can, or when only the start will tell. A program that gets a pid namespace
    /// of its own is started by another one, whose own failure would be all that is seen of its absence.
    /// </summary>
    internal static string? WhyNot(string program, IReadOnlyList<BindMount> mounts)
    {
        if (!program.StartsWith('/'))
        {
            return null;
        }

        var path = program;
        foreach (var mount in mounts)
        {
            if (program == mount.Target || program.StartsWith(mount.Target + "/", StringComparison.Ordinal))
            {
                path = mount.Source + program[mount.Target.Length..];
            }
        }

        const UnixFileMode anyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return Directory.Exists(path) ? $"exec: \"{program}\": is a directory"
            : !File.Exists(path) ? $"exec: \"{program}\": stat {program}: no such file or directory"
            : (File.GetUnixFileMode(path) & anyExecute) == 0 ? $"exec: \"{program}\": permission denied"
            : null;
    }

    private static SpawnedProcess Start(SpawnRequest request)
    {
        try
        {
            return Spawn.Start(request);
        }
        catch (SystemCallException refused)
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
