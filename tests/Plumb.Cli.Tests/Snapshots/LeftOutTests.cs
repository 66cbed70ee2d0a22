using Plumb.Cli.Tests.CommandLine;
using Plumb.Diagnosis.Snapshots;

namespace Plumb.Cli.Tests.Snapshots;

public sealed class LeftOutTests
{
    [Fact]
    public async Task What_is_not_in_a_file_is_said_where_it_is_read()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.FullName, "net.plumb");
        using (var file = File.Create(path))
        using (var writer = new SnapshotWriter(file, new SnapshotHeader(SnapshotWriter.Format, "0", "6.1", DateTimeOffset.UnixEpoch, "node-1")))
        {
            writer.Miss("Pods");
            writer.Complete();
        }
        foreach (var words in (string[][])[["explain", "cni0"], ["trace", "a", "b"], ["plan"]])
        {
            Assert.Contains($"left out of {path}: Pods\n", (await Said.By([.. words, "--from", path])).Error, StringComparison.Ordinal);
        }
    }
}
