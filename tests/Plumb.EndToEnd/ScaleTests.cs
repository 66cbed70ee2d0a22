using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>Ten thousand Services on one node, and what happens to them there.</summary>
public sealed class ScaleTests : IAsyncDisposable
{
    private const int Services = 10_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly LabUser _user = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task An_agent_killed_while_it_writes_ten_thousand_Services_comes_back_to_the_right_state_and_a_table_that_somebody_empties_is_repaired()
    {
        var lab = await _user.UpWithAsync(Manifest(), "--nodes", "1", "--agent-processes");
        await UntilAsync(async () => (await TableAsync(lab)).Count(IsFrontend) == Services);
        var right = await TableAsync(lab);

        // Nothing of them is there, and a new agent begins to write; it is killed in the midst of it.
        (await lab.ShellAsync("node-1", "nft", "delete", "table", "ip", "plumb")).Succeeds();
        await KillAgentAsync(lab);
        var written = 0;
        await UntilAsync(async () => (written = (await TableAsync(lab)).Count(IsElement)) != 0);
        await KillAgentAsync(lab);
        Assert.True(written < right.Count(IsElement), "all was written at once: the second agent was not killed in the midst of it");
        await UntilAsync(async () => right.SequenceEqual(await TableAsync(lab)));

        foreach (var command in (string[][])[["nft", "flush", "ruleset"], ["nft", "flush", "chain", "ip", "plumb", "services"], ["nft", "flush", "map", "ip", "plumb", "frontends"]])
        {
            (await lab.ShellAsync("node-1", command)).Succeeds();
            await UntilAsync(async () => right.SequenceEqual(await TableAsync(lab)));
        }
        Assert.Contains("", await lab.EventAsync("NetworkRepaired", "node-1"), StringComparison.Ordinal);
    }

    private static string Manifest()
    {
        var text = new StringBuilder();
        for (var i = 0; i < Services; i++)
        {
            text.Append(
                $$"""
                apiVersion: v1
                kind: Service
                metadata: {name: service-{{i}} }
                spec: {ports: [{name: http, port: 80}]}
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: service-{{i}}-a, labels: {kubernetes.io/service-name: service-{{i}} } }
                addressType: IPv4
                ports: [{name: http, port: 8080}]
                endpoints: [{addresses: [10.202.{{i / 256}}.{{i % 256}}]}]
                ---

                """);
        }
        return text.ToString();
    }

    private static bool IsElement(string line) => line.Contains("service-", StringComparison.Ordinal);

    private static bool IsFrontend(string line) => line.Contains("comment \"plumb:Service default/service-", StringComparison.Ordinal) && line.Contains(" . tcp . 80 ", StringComparison.Ordinal);

    /// <summary>What nft lists of Plumb's table, an element a line, in an order of its own: a set's is the kernel's affair.</summary>
    private static async Task<List<string>> TableAsync(RunningLab lab)
    {
        var listed = await lab.ShellAsync("node-1", "nft", "list", "table", "ip", "plumb");
        return listed.ExitCode != 0 ? [] :
            [.. listed.Lines.Select(static line => line.Replace("elements = {", "", StringComparison.Ordinal).Trim(' ', '\t', ',', '}')).Where(static line => line.Length != 0).Order(StringComparer.Ordinal)];
    }

    private static async Task KillAgentAsync(RunningLab lab)
    {
        var agent = 0;
        await UntilAsync(async () =>
        {
            var status = JsonElement.Parse((await lab.PlumbAsync("status", "-o", "json")).Succeeds().Output);
            var node = status.GetProperty("labs")[0].GetProperty("machines").EnumerateArray().First(static one => one.GetProperty("name").GetString() == "node-1");
            return node.TryGetProperty("agentProcessId", out var id) && id.ValueKind == JsonValueKind.Number && (agent = id.GetInt32()) != 0;
        });
        using var kill = Process.Start("kill", ["-KILL", $"{agent}"]);
        await kill.WaitForExitAsync(Cancel);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var since = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(since.Elapsed < Patience, $"not so after {Patience}");
            await Task.Delay(250, Cancel);
        }
    }
}
