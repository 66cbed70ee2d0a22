using System.Diagnostics;

namespace Plumb.Agent.Tests.Leases;

/// <summary>A file system that is really full: a tmpfs of two pages, on which each lease takes one.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TestNode _node = new();

    public FullDiskTests()
    {
        Directory.CreateDirectory(_node.LeaseDirectory);
        // In the mount namespace of these tests.
        Run("mount", "-t", "tmpfs", "-o", $"size={2 * Environment.SystemPageSize}", "tmpfs", _node.LeaseDirectory);
    }

    public void Dispose()
    {
        Run("umount", _node.LeaseDirectory);
        _node.Dispose();
    }

    [Fact]
    public async Task Who_gets_no_lease_is_told_in_one_line_and_all_others_keep_theirs()
    {
        IReadOnlyList<string> held;
        await using (var agent = await _node.StartAsync())
        {
            await agent.Ready;
            var addresses = new[] { await _node.AddAsync("a"), await _node.AddAsync("b") };
            Assert.Equal(["10.244.1.2/32", "10.244.1.3/32"], addresses);
            held = await LeasesAsync();
            _node.Kernel.MakeNamespace("c");
            var kernel = _node.Kernel.Dump();
            for (var again = 0; again < 2; again++)
            {
                var (succeeded, body) = await _node.CniAsync("ADD", "c");
                Assert.False(succeeded);
                Assert.Equal(5, (int)body!["code"]!);
                var line = (string)body["msg"]!;
                Assert.Contains("disk was full", line, StringComparison.Ordinal);
                Assert.Contains(Path.Combine(_node.LeaseDirectory, "10.244.1.4"), line, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', line);
                Assert.Equal(held, await LeasesAsync());
                Assert.Equal(kernel, _node.Kernel.Dump());
            }
        }

        // Another agent finds them as they were, and a place that somebody leaves is the next one's.
        await using var next = await _node.StartAsync();
        await next.Ready;
        Assert.Equal(held, await LeasesAsync());
        Assert.False((await _node.CniAsync("ADD", "c")).Succeeded);
        Assert.True((await _node.CniAsync("DEL", "a")).Succeeded);
        var (isServed, result) = await _node.CniAsync("ADD", "c");
        Assert.True(isServed, result?.ToJsonString());
        Assert.Equal("10.244.1.4/32", (string?)result!["ips"]![0]!["address"]);
        Assert.Equal(["10.244.1.3", "10.244.1.4"], (await LeasesAsync()).Select(static lease => lease.Split(' ')[0]));
    }

    /// <summary>Every file that is there, with what it holds.</summary>
    private async Task<IReadOnlyList<string>> LeasesAsync()
    {
        var held = new List<string>();
        foreach (var path in Directory.EnumerateFileSystemEntries(_node.LeaseDirectory).Order(StringComparer.Ordinal))
        {
            held.Add($"{Path.GetFileName(path)} {await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)}");
        }
        return held;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var run = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = run.StandardError.ReadToEnd();
        run.WaitForExit();
        Assert.True(run.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {error}");
    }
}
