using System.IO.Pipes;
using System.Security.Cryptography;
using System.Text;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers.Roots;

/// <summary>
/// Commands and files that whoever reaches a container's port sends it (netexec's `/shell` and `/upload`), while the container has no image: they run with the machine's
/// programs, and find nothing else of the machine (<see cref="ProgramRoot"/>, <see cref="Confinement"/>; docs/security.md).
/// </summary>
/// <param name="lab">The lab's control group; null: the machine permits none.</param>
internal sealed class ConfinedCommands(PodFacts pod, ContainerSpec container, ContainerFiles files, ControlGroup? lab, TimeProvider time) : IAsyncDisposable
{
    /// <summary>All that commands of a user may start, together.</summary>
    public const int MostProcesses = 512;

    /// <summary>Of an answer; a command that says more is ended.</summary>
    public const int MostOutputBytes = 1 << 20;

    // Of a container's `/tmp` and `/uploads`, which are in memory.
    private const long MostBytes = 64 << 20;

    // Each starts a process of .NET; who comes after them waits.
    private const int AtOnce = 4;

    private readonly SemaphoreSlim _places = new(AtOnce);
    // Of their own: who sends a file slowly keeps nobody from a command.
    private readonly SemaphoreSlim _uploads = new(AtOnce);
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _gate = new();
    private MemoryDirectory? _memory;
    private ContainerGroup? _group;
    private ContainerLimits _limits = container.Limits;

    // Upstream's waits for ever; here it is a process of somebody's laptop.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(1);

    private string Own => Path.Combine(files.Directory, "own");

    private string Uploads => Path.Combine(Own, "uploads");

    /// <returns>What it wrote to both of its outputs; and why it was no success, as Go's os/exec says it, or empty.</returns>
    /// <exception cref="OperationCanceledException">The client has gone, or the container ends: so has the command.</exception>
    public async Task<(byte[] Output, string Error)> RunAsync(string command, CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _over.Token);
        await _places.WaitAsync(either.Token);
        try
        {
            await pod.Prepare(either.Token);
            return await RunHereAsync(command, either.Token);
        }
        catch (Exception refused) when (refused is ContainerStartException or SystemCallException or IOException or UnauthorizedAccessException)
        {
            return ([], $"fork/exec /bin/sh: {refused.Message}");
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Keeps a file where commands find it and may run it.</summary>
    /// <returns>Its path in their sight.</returns>
    /// <exception cref="IOException">There is no room left, or it does not come.</exception>
    public async Task<string> KeepAsync(Stream content, CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _over.Token);
        await _uploads.WaitAsync(either.Token);
        try
        {
            using var tooLong = new CancellationTokenSource(TimeLimit, time);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(either.Token, tooLong.Token);
            Make();
            var name = "upload" + RandomNumberGenerator.GetInt32(int.MaxValue);
            var path = Path.Combine(Uploads, name);
            // A command may have put anything there: whatever is there already, a link for one, is not opened (O_EXCL), and no name is followed later.
            await using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            });
            try
            {
                await content.CopyToAsync(file, patience.Token);
                await file.FlushAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!either.IsCancellationRequested)
            {
                File.Delete(path);
                throw new IOException($"it had not come after {TimeLimit.TotalSeconds:0} s");
            }
            catch
            {
                File.Delete(path);
                throw;
            }
            return "/uploads/" + name;
        }
        finally
        {
            _uploads.Release();
        }
    }

    /// <summary>What commands may take from now on; nothing where the lab has no control groups.</summary>
    public void Limit(ContainerLimits limits)
    {
        lock (_gate)
        {
            _limits = limits;
            _group?.Limit(limits);
        }
    }

    /// <summary>Ends what runs, and returns when nothing does and nothing is left.</summary>
    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        for (var i = 0; i < AtOnce; i++)
        {
            await _places.WaitAsync();
            await _uploads.WaitAsync();
        }
        _group?.Remove();
        _memory?.Dispose();
    }

    private async Task<(byte[] Output, string Error)> RunHereAsync(string command, CancellationToken cancel)
    {
        Make();
        var environment = ContainerEnvironment.Build(pod, container);
        using var output = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.None);
        using var fresh = FreshCommand.OfStrangers(
            pod, files, [new BindMount(Path.Combine(Own, "tmp"), "/tmp"), new BindMount(Uploads, "/uploads")], Texts(), ["/bin/sh", "-c", command], environment, _group?.Group);
        var both = SpawnStream.Of(output.ClientSafePipeHandle);
        using var process = fresh.Start(request => request with { Input = SpawnStream.Null, Output = both, Error = both });
        output.DisposeLocalCopyOfClientHandle();
        using var ended = cancel.UnsafeRegister(static child => ((SpawnedProcess)child!).Kill(), process);
        await fresh.StartedAsync();
        using var tooLong = new CancellationTokenSource(TimeLimit, time);
        using var late = tooLong.Token.UnsafeRegister(static child => ((SpawnedProcess)child!).Kill(), process);
        var said = new byte[MostOutputBytes + 1];
        // Ends with the command: what it leaves behind ends with it, and nobody else has the pipe.
        var length = await output.ReadAtLeastAsync(said, said.Length, throwOnEndOfStream: false, CancellationToken.None);
        if (length > MostOutputBytes)
        {
            process.Kill();
        }
        var status = await process.Exited;
        cancel.ThrowIfCancellationRequested();
        var error = length > MostOutputBytes ? $"signal: killed (more than {MostOutputBytes} bytes of output)"
            : tooLong.IsCancellationRequested && status.EndedBy is Signal.Kill ? $"signal: killed (after {TimeLimit.TotalSeconds:0} s)"
            : status.EndedBy is Signal.Kill ? "signal: killed"
            : status.EndedBy is { } signal ? $"signal: {(int)signal}"
            : status.Code != 0 ? $"exit status {status.Code}"
            : "";
        return (said[..Math.Min(length, MostOutputBytes)], error);
    }

    private void Make()
    {
        lock (_gate)
        {
            if (_memory is not null)
            {
                return;
            }
            foreach (var place in (ReadOnlySpan<string?>)[Environment.GetEnvironmentVariable("HOME"), files.Directory])
            {
                if (place is { Length: > 1 } && ShownBy(place) is { } tree)
                {
                    throw new ContainerStartException("StartError", $"the machine's {tree} would be shown to the command, and {place} is in it; give the lab the image: plumb up --image agnhost=PATH");
                }
            }
            Directory.CreateDirectory(files.Directory);
            _memory = new MemoryDirectory(Own, MostBytes);
            Directory.CreateDirectory(Uploads);
            File.SetUnixFileMode(Directory.CreateDirectory(Path.Combine(Own, "tmp")).FullName, (UnixFileMode)Convert.ToInt32("1777", 8));
            _group = ContainerGroup.Make(lab, pod, container);
            _group?.Limit(_limits);
            _group?.LimitProcesses(MostProcesses);
        }
    }

    private static string? ShownBy(string place)
    {
        using var machine = new TreeWalk("/");
        var path = machine.Find(place) ?? place;
        return ProgramRoot.Trees.FirstOrDefault(tree => path == tree || path.StartsWith(tree + "/", StringComparison.Ordinal));
    }

    // Who is known on the machine is nothing of theirs.
    private Dictionary<string, string> Texts() => new(StringComparer.Ordinal)
    {
        ["/etc/hosts"] = pod.HostsFile,
        ["/etc/resolv.conf"] = pod.ResolverFile,
        ["/etc/hostname"] = pod.HostName + "\n",
        ["/etc/nsswitch.conf"] = "passwd: files\ngroup: files\nhosts: files dns\n",
        ["/etc/passwd"] = "root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
        ["/etc/group"] = "root:x:0:\nnogroup:x:65534:\n",
    };
}
