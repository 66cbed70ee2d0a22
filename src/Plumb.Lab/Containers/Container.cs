using System.Security.Cryptography;
using System.Text;
using Plumb.Api.Streaming;
using Plumb.Lab.Containers.Runs;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers;

/// <summary>The life of a container: runs, one after another, and the state that is seen from outside.</summary>
internal sealed class Container : IContainer
{
    // Limits of a kubelet.
    private const int MostLastBytes = 4096;
    private const int MostLastLines = 80;

    private readonly PodFacts _pod;
    private readonly ContainerFiles _files;
    private readonly IContainerKind _kind;
    private readonly TimeProvider _time;
    private readonly Action<IContainer, ContainerStatus> _changed;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private volatile ContainerStatus _status = ContainerStatus.Creating;
    private IContainerRun? _run;
    private ContainerLog? _log;
    private ContainerLog? _previousLog;
    private bool _started;
    private TimeSpan _grace;
    private volatile ContainerLimits _limits;
    private volatile bool _restarting;

    public Container(
        PodFacts pod, ContainerSpec spec, ContainerFiles files, IContainerKind kind, TimeProvider time, Action<IContainer, ContainerStatus> changed)
    {
        _pod = pod;
        Spec = spec;
        _limits = spec.Limits;
        _files = files;
        _kind = kind;
        _time = time;
        _changed = changed;
    }

    public ContainerSpec Spec { get; }

    public ContainerStatus Status => _status;

    public string Substitution => _kind.Substitution;

    public string ImageId => _kind.ImageId;

    public IReadOnlyList<ContainerRemark> Remarks => _kind.Remarks;

    public ContainerLimits Limits { get => _limits; set => _limits = value; }

    public ContainerRemark? HoldLimits() => Volatile.Read(ref _run)?.Limit(_limits);

    public long? MemoryBytes => Volatile.Read(ref _run)?.MemoryBytes;

    public Task Ended => _ended.Task;

    public void Start()
    {
        lock (_gate)
        {
            if (_started || _stopping.IsCancellationRequested)
            {
                return;
            }

            _started = true;
        }

        _ = LiveAsync();
    }

    /// <summary>The first process of the present run; null: none runs, or none is needed.</summary>
    public SpawnedProcess? Process => (Volatile.Read(ref _run) as ProcessRun)?.Process;

    public bool IsBuiltIn => _kind is WorkloadKind;

    public Task SettleAsync(CancellationToken cancel) => (Volatile.Read(ref _run) as WorkloadRun)?.SettleAsync(cancel) ?? Task.CompletedTask;

    public async Task StopAsync(TimeSpan grace)
    {
        _grace = grace;
        await _stopping.CancelAsync();
        lock (_gate)
        {
            if (!_started)
            {
                _ended.TrySetResult();
            }
        }

        // A run that begins just now sees the token.
        if (Volatile.Read(ref _run) is { } run)
        {
            await run.StopAsync(grace);
        }

        await Ended;
    }

    public Task RestartAsync(TimeSpan grace)
    {
        _restarting = true;
        return Volatile.Read(ref _run)?.StopAsync(grace) ?? Task.CompletedTask;
    }

    public Task LogAsync(LogRequest request, Stream output, CancellationToken cancel)
    {
        var status = Status;
        // Between two runs the last one is both: the newest there is, and the previous one of the run to come.
        var log = !request.Previous ? _log
            : status.LastExit is null ? throw PodStreamException.BadRequest($"previous terminated container \"{Spec.Name}\" in pod \"{_pod.Name}\" not found")
            : status.Phase == ContainerPhase.Waiting ? _log
            : _previousLog;
        return log?.CopyAsync(request, output, cancel)
            ?? throw PodStreamException.BadRequest($"container \"{Spec.Name}\" in pod \"{_pod.Name}\" is waiting to start: {status.Reason}");
    }

    public Task<CommandOutcome> ExecAsync(ExecRequest request, CommandStreams streams, CancellationToken cancel) =>
        Running().ExecAsync(request, streams, cancel);

    public Task<CommandOutcome> AttachAsync(AttachRequest request, CommandStreams streams, CancellationToken cancel) =>
        Running().AttachAsync(request, streams, cancel);

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _log?.Dispose();
        _previousLog?.Dispose();
        _files.Delete();
    }

    private IContainerRun Running() =>
        Volatile.Read(ref _run) ?? throw PodStreamException.Internal($"container \"{Spec.Name}\" of pod \"{_pod.Name}\" is not running");

    private async Task LiveAsync()
    {
        // Off the caller's stack: it may start hundreds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            var backOff = new RestartBackOff();
            for (var restarts = 0; !_stopping.IsCancellationRequested; restarts++)
            {
                // The date may be set while it runs; only this clock tells how long it was.
                var since = _time.GetTimestamp();
                var exit = await RunAsync(restarts);
                var ran = _time.GetElapsedTime(since);
                if (!WantsRestart(exit))
                {
                    break;
                }

                var wait = backOff.Next(ran);
                if (wait > TimeSpan.Zero)
                {
                    var message = $"back-off {Words(wait)} restarting failed container={Spec.Name} pod={_pod.Name}_{_pod.Namespace}({_pod.Uid})";
                    Become(new ContainerStatus(ContainerPhase.Waiting, "CrashLoopBackOff", message, exit.Id, null, null, exit, restarts));
                    await Task.Delay(wait, _time, _stopping.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped while it waited for its next run: the last one's end is its state again.
            var exit = _status.LastExit!;
            Become(_status with { Phase = ContainerPhase.Terminated, Reason = exit.Reason, Message = exit.Message, Exit = exit });
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private async Task<ContainerExit> RunAsync(int restarts)
    {
        var id = Identity(restarts);
        var last = _status.Exit ?? _status.LastExit;
        var startedAt = _time.GetUtcNow();
        var log = BeginLog(restarts);
        RunEnd end;
        string reason;
        _restarting = false;
        try
        {
            var limits = _limits;
            using var run = await _kind.StartAsync(log, limits);
            Volatile.Write(ref _run, run);
            if (!ReferenceEquals(limits, _limits))
            {
                // They came between its start and the line above.
                run.Limit(_limits);
            }
            Become(new ContainerStatus(ContainerPhase.Running, "", "", id, startedAt, null, last, restarts));
            if (_stopping.IsCancellationRequested)
            {
                // Stopped between its start and the line above.
                await run.StopAsync(_grace);
            }

            end = await run.Ended;
            reason = end.OutOfMemory ? "OOMKilled" : end.ExitCode == 0 ? "Completed" : "Error";
        }
        catch (ContainerStartException refused)
        {
            end = new RunEnd(128, 0, refused.Message);
            reason = refused.Reason;
        }
        finally
        {
            Volatile.Write(ref _run, null);
            log.Complete();
        }

        var message = end.Message.Length > 0 ? end.Message : await LastWordsAsync(log, failed: end.ExitCode != 0);
        var exit = new ContainerExit(id, end.ExitCode, end.Signal, reason, message, startedAt, _time.GetUtcNow());
        Become(new ContainerStatus(ContainerPhase.Terminated, exit.Reason, exit.Message, id, null, exit, last, restarts));
        return exit;
    }

    /// <summary>What the program left in its file, or, where its container asks for it, at the end of its log.</summary>
    private async Task<string> LastWordsAsync(ContainerLog log, bool failed)
    {
        var words = "";
        if (_files.MessageFile is { } file && File.Exists(file))
        {
            words = FirstWords(file);
        }
        if (words.Length == 0 && failed && Spec.MessageFromLog)
        {
            using var end = new MemoryStream();
            await log.CopyAsync(new LogRequest(Spec.Name, Follow: false, Previous: false, Since: null, TailLines: MostLastLines, LimitBytes: null, Timestamps: false), end, default);
            words = Encoding.UTF8.GetString(end.ToArray());
            return words.Length > MostLastBytes / 2 ? words[^(MostLastBytes / 2)..] : words;
        }
        return words.Length > MostLastBytes ? words[..MostLastBytes] : words;
    }

    // The container's own to write: it may be of any length, and unreadable.
    private static string FirstWords(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            var bytes = new byte[MostLastBytes];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            stream.SetLength(0);
            return Encoding.UTF8.GetString(bytes, 0, length);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private ContainerLog BeginLog(int restarts)
    {
        _previousLog?.Dispose();
        _previousLog = _log;
        return _log = new ContainerLog(Path.Combine(_files.Directory, $"{restarts}.log"), _time);
    }

    private bool WantsRestart(ContainerExit exit) => !_stopping.IsCancellationRequested && Spec.RestartPolicy switch
    {
        RestartPolicy.Always => true,
        RestartPolicy.OnFailure => exit.ExitCode != 0 || _restarting,
        _ => false,
    };

    private void Become(ContainerStatus status)
    {
        _status = status;
        _changed(this, status);
    }

    private string Identity(int restarts)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{_pod.Uid}/{Spec.Name}/{restarts}"));
        return "plumb://" + Convert.ToHexStringLower(hash.AsSpan(0, 8));
    }

    private static string Words(TimeSpan wait) => wait < TimeSpan.FromMinutes(1) ? $"{wait.TotalSeconds:0}s" : $"{(int)wait.TotalMinutes}m{wait.Seconds}s";
}
