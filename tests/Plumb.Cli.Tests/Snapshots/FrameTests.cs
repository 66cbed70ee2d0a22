using Plumb.Cli.Tests.CommandLine;
using Plumb.CommandLine;

namespace Plumb.Cli.Tests.Snapshots;

/// <summary>`plumb explain FILE:NUMBER`: a capture of anybody's, with the names of a network that was recorded.</summary>
public sealed class FrameTests
{
    // pcap of bare IP: a SYN from client (10.244.1.2) to a replica of website (10.244.2.2), port 80.
    private static readonly byte[] Capture = Convert.FromHexString(
        "d4c3b2a102000400000000000000000000000400" + "65000000" + "00000000000000002800000028000000"
        + "4500002800004000" + "40060000" + "0af40102" + "0af40202" + "9c400050" + "00000007" + "00000000" + "50020000" + "00000000");

    [Fact]
    public async Task A_frame_is_told_with_the_names_of_its_addresses()
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("f.pcap");
        await File.WriteAllBytesAsync(file, Capture, TestContext.Current.CancellationToken);
        var said = await Said.By("explain", "--from", FrozenTests.File, $"{file}:1");
        Assert.Equal((ExitCode.Done, ""), (said.ExitCode, said.Error));
        var words = string.Join(' ', said.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("ip 10.244.1.2 (client) → 10.244.2.2 (website-86c544fddd-5c9mt), TTL 64, 40 bytes, DF tcp port 40000 → 80, SYN, sequence 7, 0 bytes", words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_read_is_said_in_one_line()
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("f.pcap");
        await File.WriteAllBytesAsync(file, Capture, TestContext.Current.CancellationToken);
        var text = folder.Write("notes.pcapng", "no capture");
        foreach (var (thing, why) in ((string, string)[])[($"{file}:2", "has no frame 2"), ($"{text}:1", "it is no capture file"), ($"{folder.PathOf("none.pcap")}:1", "there is no file")])
        {
            var said = await Said.By("explain", "--from", FrozenTests.File, thing);
            Assert.Equal((ExitCode.Failed, "", 1), (said.ExitCode, said.Output, said.Error.Count(static letter => letter == '\n')));
            Assert.Contains(why, said.Error, StringComparison.Ordinal);
        }
    }
}
