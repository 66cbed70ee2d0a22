using System.Text;
using System.Text.Json;
using Plumb.Lab.Running;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Rootless;

/// <summary>From a command's process to a lab's.</summary>
public static class LabLauncher
{
    /// <summary>The first argument by which <c>plumb</c> knows that it is to be a lab's process; the second is <see cref="LabOptions.ToJson"/>.</summary>
    public const string Verb = "lab-process";

    /// <summary>
    /// Replaces this process by the lab's; returns only by exception. The caller's terminal, descriptors 0 to 2 and pid stay.
    /// </summary>
    /// <param name="plumb">How to start this program: its path, and what comes before the first argument.</param>
    /// <exception cref="LabException">This machine does not permit it, or the name is taken.</exception>
    public static async Task BecomeAsync(LabOptions options, IReadOnlyList<string> plumb, CancellationToken cancel)
    {
        var host = HostFacts.OfThisMachine();
        var command = await PrepareAsync(options, plumb, host, cancel);
        // Nobody is there afterwards to explain what went wrong.
        await ProbeAsync(host, command[0], cancel);
        var group = LabControlGroup.Enter(options.Name);
        try
        {
            Exec.Replace(command[0], command);
        }
        catch (SystemCallException refused)
        {
            group?.Leave();
            throw new LabException($"cannot start the lab's process: {refused.Message}", refused);
        }
    }

    /// <summary>Starts the lab in a session of its own and returns when it is ready; it then outlives the caller.</summary>
    /// <exception cref="LabException">The lab could not be started; nothing of it is left.</exception>
    public static async Task<LabStatus> StartDetachedAsync(
        LabOptions options, IReadOnlyList<string> plumb, IProgress<LabProgress> progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(progress);
        var host = HostFacts.OfThisMachine();
        var command = await PrepareAsync(options with { Detached = true }, plumb, host, cancel);
        var group = LabControlGroup.Enter(options.Name);
        try
        {
            return await StartDetachedAsync(options, command, host, progress, cancel);
        }
        catch
        {
            group?.Leave();
            throw;
        }
    }

    private static async Task<LabStatus> StartDetachedAsync(LabOptions options, List<string> command, HostFacts host, IProgress<LabProgress> progress, CancellationToken cancel)
    {
        using var process = Start(command, options.Manifests.Contains("-") ? SpawnStream.Inherit : SpawnStream.Null);
        await using var interrupted = cancel.UnsafeRegister(static child => ((SpawnedProcess)child!).Kill(Signal.Terminate), process);
        var said = process.Error is { } error ? ReadAllAsync(error) : Task.FromResult("");
        using var lines = new StreamReader(process.Output!, Encoding.UTF8);
        var begun = false;
        while (await lines.ReadLineAsync(CancellationToken.None) is { } line)
        {
            begun = true;
            using var json = JsonDocument.Parse(line);
            var step = LabJson.Progress(json.RootElement);
            if (step.Step == LabStep.Failed)
            {
                await process.Exited;
                throw new LabException(step.Detail ?? "the lab could not start");
            }
            progress.Report(step);
            if (step is { Step: LabStep.Ready, Lab: { } lab })
            {
                return lab with { ProcessId = process.Pid };
            }
        }
        var status = await process.Exited;
        cancel.ThrowIfCancellationRequested();
        if (!begun)
        {
            await ProbeAsync(host, command[0], cancel);
        }
        throw new LabException($"the lab's process ended before it was ready ({status}){Quote(await said)}");
    }

    /// <summary>Refuses early what can be known early; the rest is the lab's own process's to find.</summary>
    private static async Task<List<string>> PrepareAsync(LabOptions options, IReadOnlyList<string> plumb, HostFacts host, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        _ = new Wire.WireAddresses(options);
        var root = options.RuntimeRoot ?? RunPaths.FindRoot();
        if (RunDirectory.Sweep(root).Contains(options.Name))
        {
            throw RunDirectory.InUse(options.Name);
        }
        var unshare = host.Find("unshare") ?? throw RootlessDiagnosis.Missing("unshare");
        var setpriv = host.Find("setpriv") ?? throw RootlessDiagnosis.Missing("setpriv");
        return Supervisor.CommandLine(unshare, setpriv, await HasUsersAsync(host, unshare, cancel), [.. plumb, Verb, (options with { RuntimeRoot = root }).ToJson()]);
    }

    private static async Task<bool> HasUsersAsync(HostFacts host, string unshare, CancellationToken cancel)
    {
        if (!host.HasSubordinateIds(Environment.UserName))
        {
            return false;
        }
        using var probe = Start(Supervisor.ProbeUsers(unshare), SpawnStream.Null);
        await ReadAllAsync(probe.Error!);
        return (await probe.Exited.WaitAsync(cancel)).Code == 0;
    }

    /// <exception cref="LabException">A lab cannot start here: why, and what to do.</exception>
    private static async Task ProbeAsync(HostFacts host, string unshare, CancellationToken cancel)
    {
        using var probe = Start(Supervisor.Probe(unshare), SpawnStream.Null);
        var said = await ReadAllAsync(probe.Error!);
        if (await probe.Exited.WaitAsync(cancel) is { Code: not 0 })
        {
            throw new LabException(RootlessDiagnosis.Explain(host, said));
        }
    }

    private static SpawnedProcess Start(List<string> command, SpawnStream input)
    {
        try
        {
            return Spawn.Start(new SpawnRequest(command[0])
            {
                Arguments = command[1..],
                Input = input,
                Output = SpawnStream.Pipe,
                Error = SpawnStream.Pipe,
            });
        }
        catch (SystemCallException refused)
        {
            throw new LabException($"cannot start {command[0]}: {refused.Message}", refused);
        }
    }

    private static async Task<string> ReadAllAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }

    private static string Quote(string said)
    {
        var line = said.ReplaceLineEndings(" ").Trim();
        return line.Length == 0 ? "" : $": {line}";
    }
}
