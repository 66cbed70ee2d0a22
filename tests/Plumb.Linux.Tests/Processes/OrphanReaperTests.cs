using System.Globalization;
using Plumb.Linux.Processes;
using Plumb.Testing;

namespace Plumb.Linux.Tests.Processes;

public sealed class OrphanReaperTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task As_pid_1_the_tests_that_need_it_pass()
    {
        var environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string)e.Value!);
        environment[UserNamespace.InsideVariable] = "1";
        using var run = Spawn.Start(new SpawnRequest(Environment.ProcessPath!)
        {
            Arguments = ["-noLogo", "-noColor", "-trait", $"{UserNamespace.Needs}={UserNamespace.Init}"],
            Environment = environment,
            Output = SpawnStream.Pipe,
            Namespaces = new SpawnNamespaces { OwnPids = true },
        });
        using var reader = new StreamReader(run.Output!);

        var output = await reader.ReadToEndAsync(Cancel);

        Assert.True((await run.Exited).Code == 0, output);
        Assert.Contains("Total: 1, Errors: 0, Failed: 0", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    [Trait(UserNamespace.Needs, UserNamespace.Init)]
    public async Task Orphans_are_reaped_and_no_child_loses_its_exit_code()
    {
        Assert.Equal(1, Environment.ProcessId);
        var reaped = new HashSet<int>();
        using var changed = new SemaphoreSlim(0);
        OrphanReaper.Reaped += pid =>
        {
            lock (reaped)
            {
                reaped.Add(pid);
            }
            changed.Release();
        };
        using var console = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGCHLD, static _ => { }); // as the console does

        using var parent = Spawn.Start(new SpawnRequest("/bin/sh") { Arguments = ["-c", "sleep 0.01 >&- & echo $!"], Output = SpawnStream.Pipe });
        using var reader = new StreamReader(parent.Output!);
        var orphan = int.Parse(await reader.ReadToEndAsync(Cancel), CultureInfo.InvariantCulture);
        var codes = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(i => Spawn.Start(new SpawnRequest("/bin/sh") { Arguments = ["-c", $"exit {i}"] }).Exited));

        Assert.Equal(Enumerable.Range(0, 50), codes.Select(c => c.Code));
        while (true)
        {
            lock (reaped)
            {
                if (reaped.Contains(orphan))
                {
                    return;
                }
            }
            await changed.WaitAsync(Cancel);
        }
    }
}
