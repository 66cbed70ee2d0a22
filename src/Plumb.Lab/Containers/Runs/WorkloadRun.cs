using Plumb.Api.Streaming;
using Plumb.Lab.Containers.Roots;
using Plumb.Lab.Workloads;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Containers.Runs;

/// <summary>Containers without a command: a built-in workload inside this process.</summary>
/// <param name="lab">The lab's control group; null: the machine permits none.</param>
internal sealed class WorkloadKind(PodFacts pod, ContainerSpec container, ContainerFiles files, WorkloadServer server, ControlGroup? lab, TimeProvider time) : IContainerKind
{
    private readonly WorkloadPlan _plan = WorkloadPlan.Of(Expanded(pod, container));

    public string Substitution => _plan.Describe();

    public async Task<IContainerRun> StartAsync(ContainerLog log, ContainerLimits limits)
    {
        if (_plan.Program is null)
        {
            return new WorkloadRun(pod, container, files, log, workload: null, commands: null, _plan.Errand, time);
        }

        try
        {
            var plan = _plan with { CertificateFile = OnMachine(_plan.CertificateFile), KeyFile = OnMachine(_plan.KeyFile) };
            var commands = plan.Program is Netexec ? new ConfinedCommands(pod, container with { Limits = limits }, files, lab, time) : null;
            return new WorkloadRun(pod, container, files, log, await server.StartAsync(pod, plan, log, commands), commands, errand: null, time);
        }
        catch (WorkloadException refused)
        {
            throw new ContainerStartException("StartError", refused.Message);
        }
    }

    /// <summary>Where a path of the container's is: in the volume that is mounted there, or the machine's own.</summary>
    private string OnMachine(string path) => container.Mounts
        .Where(mount => path == mount.Target || path.StartsWith(mount.Target.TrimEnd('/') + "/", StringComparison.Ordinal))
        .MaxBy(static mount => mount.Target.Length) is { } mount ? mount.Source + path[mount.Target.TrimEnd('/').Length..] : path;

    // Most have neither, and there are many of them.
    private static ContainerSpec Expanded(PodFacts pod, ContainerSpec container)
    {
        if (container.Environment.Count == 0 && !container.Args.Any(static word => word.Contains('$', StringComparison.Ordinal)))
        {
            return container;
        }
        Dictionary<string, string> environment;
        try
        {
            environment = ContainerEnvironment.Build(pod, container);
        }
        catch (ContainerStartException)
        {
            // A variable that cannot be had is one that no built-in workload asks for.
            return container;
        }
        return container with
        {
            Args = [.. container.Args.Select(word => ContainerEnvironment.Expand(word, environment))],
            Environment = [.. environment.Select(static variable => new EnvironmentVariable(variable.Key, variable.Value))],
        };
    }
}

/// <param name="workload">Null for what serves nobody.</param>
/// <param name="commands">Those that its clients send; null: it takes none.</param>
/// <param name="errand">What it does instead; null for `pause`, which does nothing until it is stopped.</param>
internal sealed class WorkloadRun(
    PodFacts pod, ContainerSpec container, ContainerFiles files, ContainerLog log, Workload? workload, ConfinedCommands? commands, Errand? errand, TimeProvider time) : IContainerRun
{
    private const string Unlimited = "The container's limits are not held: a workload of Plumb's own stands in for its image, a part of the lab's process that cannot be limited by itself";

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<int> _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<RunEnd>? _ended;

    public Task<RunEnd> Ended => _ended ??= EndAsync(workload?.Ended ?? errand?.RunAsync(pod, Say, time, _stop.Token) ?? _paused.Task);

    public Task SettleAsync(CancellationToken cancel) => workload?.SettleAsync(cancel) ?? Task.CompletedTask;

    public async Task StopAsync(TimeSpan grace)
    {
        await _stop.CancelAsync();
        _paused.TrySetResult(0);
        if (workload is not null)
        {
            await workload.StopAsync(grace);
        }
    }

    public ContainerRemark? Limit(ContainerLimits limits)
    {
        commands?.Limit(limits);
        return limits.AreAny ? new ContainerRemark("LimitsNotHeld", Unlimited) : null;
    }

    public async Task<CommandOutcome> ExecAsync(ExecRequest request, CommandStreams streams, CancellationToken cancel)
    {
        await pod.Prepare(cancel);
        var environment = ContainerEnvironment.Build(pod, container with { Terminal = request.Terminal });
        ContainerEnvironment.LetTarKeepFiles(request.Command, environment);
        return await HostCommand.RunAsync(
            () => FreshCommand.Of(pod, files, request.Command, environment, container.WorkingDirectory ?? "/", ContainerUser.Root), request.Terminal, streams, time, cancel);
    }

    /// <summary>There is no input to write to; what can be seen is the log from now on.</summary>
    public async Task<CommandOutcome> AttachAsync(AttachRequest request, CommandStreams streams, CancellationToken cancel)
    {
        var fromNow = new LogRequest(request.Container, Follow: true, Previous: false, Since: null, TailLines: 0, LimitBytes: null, Timestamps: false);
        await log.CopyAsync(fromNow, streams.Stdout ?? Stream.Null, cancel);
        await ((Task)Ended).WaitAsync(cancel);
        return default;
    }

    // The token source has neither timer nor handle, and whoever stops the run may still be using it when the run has ended.
    public void Dispose()
    {
    }

    private void Say(LogStream stream, string line) => log.Append(stream, System.Text.Encoding.UTF8.GetBytes(line), partial: false);

    private async Task<RunEnd> EndAsync(Task<int> exit)
    {
        var code = await exit;
        if (commands is not null)
        {
            await commands.DisposeAsync();
        }
        return new RunEnd(code, 0, "");
    }
}
