using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Cli.Tests.CommandLine;
using Plumb.CommandLine;
using Plumb.Diagnosis.Snapshots;

namespace Plumb.Cli.Tests.Snapshots;

/// <summary>Whatever the bytes of a file are, it is a snapshot, or one line says why not.</summary>
public sealed class ReadingTests
{
    private static readonly byte[] Whole = File.ReadAllBytes(FrozenTests.File);
    private static readonly byte[] Text = Unpacked(Whole);

    [Fact]
    public void A_file_that_is_cut_anywhere_is_refused_in_one_line()
    {
        // Of the checksum and length that end it nothing is needed: every line has been read.
        const int trailer = 16;
        for (var length = 0; length < Whole.Length - trailer; length += 211)
        {
            var fault = Assert.Throws<SnapshotException>(() => SnapshotReader.Read(new MemoryStream(Whole, 0, length), "net.plumb"));
            Assert.StartsWith("net.plumb ", fault.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', fault.Message);
        }
    }

    [Fact]
    public void A_file_with_a_byte_that_is_another_is_refused_or_says_the_same() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<(int At, byte Other)>().ToArbitrary(),
        static change =>
        {
            var bytes = (byte[])Whole.Clone();
            // Behind the header of gzip, of which most says nothing.
            var at = 10 + (int)((uint)change.At % (bytes.Length - 10));
            var was = bytes[at];
            bytes[at] = change.Other;
            // A few bits fill up the last byte of a block, and say nothing.
            return change.Other == was || Refusal(bytes) is { Length: > 0 } || Unpacked(bytes).AsSpan().SequenceEqual(Text);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Text_that_nobody_wrote_is_read_or_refused_in_one_line() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<(int At, byte Other)[]>().ToArbitrary(),
        static changes =>
        {
            var bytes = (byte[])Text.Clone();
            foreach (var (at, other) in changes)
            {
                bytes[(uint)at % bytes.Length] = other;
            }
            return Refusal(Packed(bytes)) is null or { Length: > 0 };
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Fields_that_are_missing_or_of_another_kind_are_read_or_refused_in_one_line() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<(int Line, int Field, byte What)>().ToArbitrary(),
        static change =>
        {
            var lines = Encoding.UTF8.GetString(Text).Split('\n');
            var line = (uint)change.Line % (lines.Length - 1);
            var colons = lines[line].Select(static (letter, at) => (letter, at)).Where(static one => one.letter == ':').Select(static one => one.at).ToList();
            var from = colons[(int)((uint)change.Field % colons.Count)] + 1;
            var end = lines[line].IndexOfAny([',', '}'], from);
            lines[line] = lines[line][..from] + (change.What % 4) switch { 0 => "null", 1 => "-1", 2 => "\"\"", _ => "{}" } + lines[line][end..];
            return Refusal(Packed(Encoding.UTF8.GetBytes(string.Join('\n', lines)))) is null or { Length: > 0 };
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_file_that_unpacks_to_more_than_a_snapshot_does_is_refused()
    {
        var first = Text.AsSpan(0, Array.IndexOf(Text, (byte)'\n') + 1).ToArray();
        var line = Encoding.UTF8.GetBytes($"{{\"later\":\"{new string('x', 1 << 20)}\"}}\n");
        Assert.Contains("unpacks to more than", Refusal(Packed([.. first, .. Enumerable.Repeat(line, 64).SelectMany(static one => one)])), StringComparison.Ordinal);
        Assert.NotNull(Refusal(Packed([.. first, .. new byte[64 << 20]])));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("{\"plumb-snapshot\":{\"format\":2,\"plumb\":\"9.9\",\"everything\":\"else\"}}\n", "was written by plumb 9.9 in format 2, and this version reads formats up to 1: use a newer plumb")]
    [InlineData("{\"plumb-snapshot\":{\"format\":1}}\n", "is no snapshot of plumb")]
    [InlineData("{\"items\":[]}\n", "is no snapshot of plumb")]
    [InlineData("[]\n", "is no snapshot of plumb")]
    public void A_file_of_others_or_of_later_is_named_as_such(string text, string says) =>
        Assert.Contains(says, Refusal(Packed(Encoding.UTF8.GetBytes(text))), StringComparison.Ordinal);

    [Fact]
    public async Task Commands_say_it_and_exit_with_1()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in (string[])[folder.Write("notes.plumb", "no snapshot"), folder.FullName, folder.PathOf("nobody.plumb")])
        {
            foreach (var words in (string[][])[["trace", "--from", file, "a", "b:1"], ["explain", "--from", file, "--all"], ["plan", "--from", file]])
            {
                var said = await Said.By(words);
                Assert.Equal((ExitCode.Failed, "", 1), (said.ExitCode, said.Output, said.Error.Count(static letter => letter == '\n')));
                Assert.Contains(file, said.Error, StringComparison.Ordinal);
            }
        }
    }

    // Null: it was read. Any other exception fails the test.
    private static string? Refusal(byte[] file)
    {
        try
        {
            SnapshotReader.Read(new MemoryStream(file), "net.plumb");
            return null;
        }
        catch (SnapshotException refused)
        {
            Assert.DoesNotContain('\n', refused.Message);
            return refused.Message;
        }
    }

    private static byte[] Packed(byte[] text)
    {
        using var file = new MemoryStream();
        using (var gzip = new GZipStream(file, CompressionLevel.Optimal))
        {
            gzip.Write(text);
        }
        return file.ToArray();
    }

    private static byte[] Unpacked(byte[] file)
    {
        using var gzip = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
        using var text = new MemoryStream();
        gzip.CopyTo(text);
        return text.ToArray();
    }
}
