using Plumb.Cli.Tests.CommandLine;
using Plumb.CommandLine;

namespace Plumb.Cli.Tests.Snapshots;

/// <summary>
/// A snapshot that was taken once, of labs/first-packet with two Services (`made.yaml`), and is never taken again: every later version reads it and says the same of it.
/// </summary>
public sealed class FrozenTests
{
    internal static readonly string File = Checkout.PathOf("tests", "Plumb.Cli.Tests", "Snapshots", "frozen-1.plumb");

    private static bool Renews => Environment.GetEnvironmentVariable("PLUMB_RENEW") == "1";

    [Theory]
    [InlineData("to a pod", ExitCode.Done, "trace", "--from", "FILE", "client", "10.244.2.2:80")]
    [InlineData("to a Service by its name", ExitCode.Done, "trace", "--from", "FILE", "client", "http://website")]
    [InlineData("from outside to a node port", ExitCode.Done, "trace", "--from", "FILE", "outside", "192.168.1.12:31100")]
    [InlineData("to a Service with nobody behind it", ExitCode.Failed, "trace", "--from", "FILE", "client", "nobody:80")]
    [InlineData("whose a bridge is", ExitCode.Done, "explain", "--from", "FILE", "cni0", "--node", "node-1")]
    [InlineData("what a name comes to", ExitCode.Done, "explain", "--from", "FILE", "dns", "website", "--pod", "client")]
    [InlineData("the plan of a node", ExitCode.Done, "plan", "--from", "FILE", "--node", "node-3")]
    public async Task An_old_snapshot_says_what_it_always_said(string what, int code, params string[] words)
    {
        var said = await Said.By([.. words.Select(static word => word == "FILE" ? File : word)]);

        Assert.Equal("", said.Error);
        Assert.Equal(code, said.ExitCode);
        var golden = Checkout.PathOf("tests", "Plumb.Cli.Tests", "Snapshots", "golden", what.Replace(' ', '-') + ".txt");
        if (Renews)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(golden)!);
            await System.IO.File.WriteAllTextAsync(golden, said.Output, TestContext.Current.CancellationToken);
        }
        Assert.Equal(await System.IO.File.ReadAllTextAsync(golden, TestContext.Current.CancellationToken), said.Output);
    }

    [Fact]
    public async Task The_plan_made_again_from_a_snapshot_is_the_agents()
    {
        var snapshot = Diagnosis.Snapshots.SnapshotReader.Read(File);
        foreach (var (node, plan) in snapshot.Plans)
        {
            var again = Network.Planning.PlanDocument.FromJson(System.Text.Encoding.UTF8.GetBytes((await Said.By("plan", "--from", File, "--node", node, "-o", "json")).Output));

            Assert.Equal(plan.Entries.Select(static entry => (entry.Key, entry.Text, entry.Stamp)), again.Entries.Select(static entry => (entry.Key, entry.Text, entry.Stamp)));
            Assert.Equal(plan.Entries.Select(static entry => string.Join(", ", entry.Origins)), again.Entries.Select(static entry => string.Join(", ", entry.Origins)));
        }
    }
}
