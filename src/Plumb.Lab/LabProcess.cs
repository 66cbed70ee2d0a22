using System.Runtime.InteropServices;
using Plumb.Lab.Rootless;
using Plumb.Lab.Running;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab;

/// <summary>The life of a lab's process, pid 1 of its pid namespace: start, run until somebody ends it, leave nothing.</summary>
public static class LabProcess
{
    // A command that is asked to end may need a while for it; one that does not listen must not keep the lab.
    private static readonly TimeSpan CommandGrace = TimeSpan.FromSeconds(10);

    // Never let go: the signal is sent again and again until the process has ended, and the runtime's own answer to it is another exit code.
    private static readonly List<PosixSignalRegistration> Signals = [];

    /// <param name="view">Told each step when the lab runs in the foreground.</param>
    /// <param name="commands">Runs the command lines that the lab is handed.</param>
    /// <returns>
    /// The exit code: that of <see cref="LabOptions.Command"/>; without one, 0 when the lab was asked to end and 128 + n when signal n ended it.
    /// </returns>
    /// <exception cref="LabException">The lab cannot be (in the background that is told as a step, and the code is 1).</exception>
    public static async Task<int> RunAsync(LabOptions options, IProgress<LabProgress> view, LabCommandRunner commands, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        var stop = new CancellationTokenSource();
        var ended = 0;
        foreach (var heard in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            Signals.Add(PosixSignalRegistration.Create(heard, signal =>
            {
                signal.Cancel = true;
                Interlocked.CompareExchange(ref ended, 128 + Number(signal.Signal), 0);
                stop.Cancel();
            }));
        }
        var progress = options.Detached ? new ProgressLines() : view;
        try
        {
            using var group = LabControlGroup.OfThisProcess(options.Name);
            await using var lab = await Lab.StartAsync(options, progress, commands, time, stop.Token, group?.Group);
            if (options.Command.Count > 0)
            {
                var code = await RunCommandAsync(options, lab, time, stop.Token);
                progress.Report(lab.Step(LabStep.Stopping));
                return code;
            }
            await lab.StopAsked.WaitAsync(stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            progress.Report(lab.Step(LabStep.Stopping));
            return Volatile.Read(ref ended);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Volatile.Read(ref ended);
        }
        catch (LabException refused) when (options.Detached)
        {
            progress.Report(new LabProgress(LabStep.Failed, TimeSpan.Zero, refused.Message));
            return 1;
        }
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => (int)Signal.Hangup,
        PosixSignal.SIGINT => (int)Signal.Interrupt,
        _ => (int)Signal.Terminate,
    };

    private static async Task<int> RunCommandAsync(LabOptions options, Lab lab, TimeProvider time, CancellationToken stop)
    {
        var environment = new Dictionary<string, string>();
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        }
        environment.Remove(Supervisor.DiagnosticsVariable);
        environment["KUBECONFIG"] = lab.Paths.Kubeconfig;
        environment["PLUMB_LAB"] = options.Name.ToString();
        SpawnedProcess command;
        try
        {
            command = Spawn.Start(new SpawnRequest(options.Command[0])
            {
                Arguments = [.. options.Command.Skip(1)],
                Environment = environment,
                Input = SpawnStream.Inherit,
                OwnSession = false,
            });
        }
        catch (SystemCallException refused)
        {
            throw new LabException($"cannot run {options.Command[0]}: {refused.Message}", refused);
        }
        using (command)
        {
            await Task.WhenAny(command.Exited, lab.StopAsked.WaitAsync(stop));
            command.Kill(Signal.Terminate);
            await Task.WhenAny(command.Exited, Task.Delay(CommandGrace, time, CancellationToken.None));
            command.Kill();
            return (await command.Exited).Code;
        }
    }

    /// <summary>Steps as lines of JSON on standard output, until the command that reads them has gone its way.</summary>
    private sealed class ProgressLines : IProgress<LabProgress>
    {
        private readonly Stream _output = Console.OpenStandardOutput();
        private readonly Lock _gate = new();
        private bool _ended;

        public void Report(LabProgress value)
        {
            lock (_gate)
            {
                if (_ended)
                {
                    return;
                }
                _output.Write([.. LabJson.ToUtf8(json => LabJson.Write(json, value)), (byte)'\n']);
                _output.Flush();
                if (value.Step is LabStep.Ready or LabStep.Failed)
                {
                    _ended = true;
                    _output.Dispose();
                }
            }
        }
    }
}
