using System.Globalization;
using Plumb.Api.Streaming;
using Plumb.Lab.Containers.Roots;
using Plumb.Lab.Images;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers.Runs;

/// <summary>Containers with an image or a command: a process in the pod's namespaces, with the image's files or, where it is not at hand, the host's.</summary>
/// <param name="target">The container whose processes this one sees; null: its own.</param>
/// <param name="lab">The lab's control group; null: the machine permits none.</param>
internal sealed class ProcessKind(
    PodFacts pod, ContainerSpec container, ContainerFiles files, Image? image, Container? target, ControlGroup? lab, TimeProvider time) : IContainerKind
{
    public string Substitution => image is null ? "the host's file system, in which the container's command runs" : "";

    public string ImageId => image is null ? Substitution : image.Digest.Length > 0 ? image.Digest : image.Root;

    private static readonly ContainerRemark ProcMasked = new(
        "ProcMountMasked",
        "procMount: Unmasked is for containers with a user namespace of their own; this lab's root is the machine's, which the whole of /proc would obey: it stays masked. A lab of an ordinary user shows it");

    public IReadOnlyList<ContainerRemark> Remarks { get; private set; } = [];

    public async Task<IContainerRun> StartAsync(ContainerLog log, ContainerLimits limits)
    {
        var (user, otherUser) = ImageSpecs.UserOf(container, image);
        var spec = image is null ? container : container with { Home = ImageUser.Home(image.Root, user.User) };
        var environment = ContainerEnvironment.Build(pod, spec);
        var words = container.Command.Concat(container.Args).Select(word => ContainerEnvironment.Expand(word, environment)).ToList();
        if (words.Count == 0)
        {
            throw new ContainerStartException("StartError", "failed to start container: no command specified");
        }
        if (container.Target is { Length: > 0 } name && target is not { Status.Phase: ContainerPhase.Running })
        {
            throw new ContainerStartException("CreateContainerConfigError", $"unable to find target container \"{name}\"");
        }
        var console = container.Terminal ? PseudoTerminal.Open() : null;
        console?.GiveTo(user.User);
        SpawnedProcess? process = null;
        var group = ContainerGroup.Make(lab, pod, container);
        var remarks = new List<ContainerRemark>();
        if (container.Security is { IsUnmasked: true, ShowsKernel: false })
        {
            remarks.Add(ProcMasked);
        }
        if (otherUser is { } one)
        {
            remarks.Add(one);
        }
        if (group is null && limits.AreAny)
        {
            remarks.Add(ProcessRun.NotLimited);
        }
        try
        {
            using var command = FreshCommand.Of(pod, files, words, environment, container.WorkingDirectory ?? "/", user, target?.Process);
            process = command.Start(request => request with
            {
                Input = container.Stdin ? SpawnStream.Pipe : SpawnStream.Null,
                Output = SpawnStream.Pipe,
                Error = SpawnStream.Pipe,
                Terminal = console,
                Group = group?.Group,
            });
            await command.StartedAsync();
            remarks.AddRange(process.Unwritten.Select(static one => new ContainerRemark(
                "SysctlNotWritten", $"/proc/sys/{one.Path} stays as it is: this kernel lets only the machine's root write it, even in an ipc namespace of one's own (Linux 6.11 lets others)")));
            Remarks = remarks;
            group?.Limit(limits);
            return new ProcessRun(container, environment, user, process, console, isFirst: command.Request.Namespaces!.OwnPids, files.Privileges, group, log, time);
        }
        catch (Exception refused) when (refused is IOException or ContainerStartException)
        {
            process?.Dispose();
            console?.Dispose();
            group?.Remove();
            throw new ContainerStartException("StartError", $"failed to start container: {refused.Message}");
        }
    }
}

internal sealed class ProcessRun : IContainerRun
{
    public static readonly ContainerRemark NotLimited = new(
        "LimitsNotHeld",
        "The container's limits are not held: this lab has no control group that it could divide; `systemd-run --user --scope -p Delegate=yes plumb up …`, or root, gives it one");

    private const int SIGTERM = 15;

    private readonly ContainerSpec _container;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly ContainerUser _user;
    private readonly Privileges? _privileges;
    // What a first process of a pid namespace leaves behind ends with it; of another one's, somebody may keep the outputs open for ever.
    private static readonly TimeSpan OutputAfterExit = TimeSpan.FromSeconds(2);

    private readonly SpawnedProcess _process;
    private readonly PseudoTerminal? _console;
    private readonly bool _isFirst;
    private readonly ContainerGroup? _group;
    private readonly TimeProvider _time;
    private readonly OutputTap _output;
    private readonly OutputTap? _error;
    private bool _stdinUsed;

    /// <param name="isFirst">Whether it has a pid namespace of its own.</param>
    /// <param name="privileges">Of commands beside it, as its own.</param>
    public ProcessRun(
        ContainerSpec container, IReadOnlyDictionary<string, string> environment, ContainerUser user, SpawnedProcess process, PseudoTerminal? console, bool isFirst, Privileges? privileges, ContainerGroup? group, ContainerLog log, TimeProvider time)
    {
        _isFirst = isFirst;
        _group = group;
        _container = container;
        _environment = environment;
        _user = user;
        _privileges = privileges;
        _process = process;
        _console = console;
        _time = time;
        _output = new OutputTap(console?.Output ?? process.Output!, log, LogStream.Stdout);
        _error = console is null ? new OutputTap(process.Error!, log, LogStream.Stderr) : null;
        Ended = EndAsync();
    }

    public Task<RunEnd> Ended { get; }

    public SpawnedProcess Process => _process;

    public async Task StopAsync(TimeSpan grace)
    {
        // The kernel drops a signal to the first process of a pid namespace that has no handler for it: there is nothing to wait for then.
        if (grace > TimeSpan.Zero && (!_isFirst || Handles(SIGTERM)) && _process.Kill(Signal.Terminate))
        {
            await ((Task)Ended).WaitAsync(grace, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _process.Kill();
        await Ended;
    }

    public ContainerRemark? Limit(ContainerLimits limits)
    {
        _group?.Limit(limits);
        return _group is null && limits.AreAny ? NotLimited : null;
    }

    public long? MemoryBytes => _group?.MemoryBytes;

    public Task<CommandOutcome> ExecAsync(ExecRequest request, CommandStreams streams, CancellationToken cancel)
    {
        var environment = new Dictionary<string, string>(_environment);
        if (request.Terminal)
        {
            environment["TERM"] = "xterm";
        }

        ContainerEnvironment.LetTarKeepFiles(request.Command, environment);
        return HostCommand.RunAsync(
            new SpawnRequest(request.Command[0])
            {
                Arguments = [.. request.Command.Skip(1)],
                Environment = environment,
                WorkingDirectory = _container.WorkingDirectory ?? "/",
                User = _user,
                Privileges = _privileges,
                Namespaces = new SpawnNamespaces { BesideProcess = _process },
                Group = _group?.Group,
            },
            request.Terminal, streams, _time, cancel);
    }

    public async Task<CommandOutcome> AttachAsync(AttachRequest request, CommandStreams streams, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        // Listening before typing: the process may answer, and end, before the next line here runs.
        using var output = _output.Attach(streams.Stdout);
        using var error = _error?.Attach(streams.Stderr);
        var input = TypeAsync(streams, over.Token);
        try
        {
            await ((Task)Ended).WaitAsync(cancel);
            // Of an attach only the streams end; how the container did is in its status.
            return default;
        }
        finally
        {
            await over.CancelAsync();
            await input;
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        _console?.Dispose();
    }

    private async Task<RunEnd> EndAsync()
    {
        var status = await _process.Exited;
        var outputs = Task.WhenAll(_output.Ended, _error?.Ended ?? Task.CompletedTask);
        if (!_isFirst)
        {
            _process.KillSession();
            await outputs.WaitAsync(OutputAfterExit, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else
        {
            await outputs;
        }
        var outOfMemory = _group?.RanOutOfMemory ?? false;
        _group?.Remove();
        return new RunEnd(status.Code, status.EndedBy is { } signal ? (int)signal : 0, "", outOfMemory);
    }

    private async Task TypeAsync(CommandStreams streams, CancellationToken cancel)
    {
        if (_console is not null)
        {
            await Task.WhenAll(
                HostCommand.TypeAsync(_container.Stdin ? streams.Stdin : null, _console, cancel), HostCommand.ResizeAsync(streams, _console, cancel));
        }
        else if (streams.Stdin is not null && _process.Input is { } input && !_stdinUsed)
        {
            try
            {
                await streams.Stdin.CopyToAsync(input, cancel);
                if (_container.StdinOnce)
                {
                    _stdinUsed = true;
                    await input.DisposeAsync();
                }
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The process reads no more, or the client has left.
            }
        }
    }

    /// <summary>`SigCgt` of proc_pid_status(5): a mask in hexadecimal, signal 1 in bit 0.</summary>
    private bool Handles(int signal)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{_process.Pid}/status"))
            {
                if (line.StartsWith("SigCgt:", StringComparison.Ordinal))
                {
                    return (ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) == 1;
                }
            }
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
        {
        }

        return true;
    }
}
