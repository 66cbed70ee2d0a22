using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Capture;

namespace Plumb.Linux.Tests.Capture;

public sealed class CaptureFileTests
{
    private static readonly byte[] Bytes = [1, 2, 3, 4, 5];

    [Fact]
    public void What_was_written_is_read_back()
    {
        var frames = Read(Written());
        Assert.Equal([1, 2], frames.Select(static frame => frame.Number));
        var second = frames[1];
        Assert.Equal(("node-1/cni0", "bridge of node-1", PcapngWriter.Ethernet, 99, true, 1_700_000_000_000_000_002L), (second.Place, second.Description, second.LinkType, second.Length, second.IsOutgoing, second.Nanoseconds));
        Assert.Equal(Bytes, second.Bytes);
        Assert.Equal(["client → website", "rewritten"], second.Comments);
        Assert.Equal((false, "node-1/eth0"), (frames[0].IsOutgoing, frames[0].Place));
    }

    // As the draft describes them: magic, version, zone, accuracy, snap length, link type; seconds, fraction, kept and whole length.
    [Theory]
    [InlineData("d4c3b2a1 0200 0400 00000000 00000000 00000400 65000000 01000000 02000000 05000000 07000000 0102030405", 1_000_002_000)]
    [InlineData("a1b2c3d4 0002 0004 00000000 00000000 00040000 00000065 00000001 00000002 00000005 00000007 0102030405", 1_000_002_000)]
    [InlineData("4d3cb2a1 0200 0400 00000000 00000000 00000400 65000000 01000000 02000000 05000000 07000000 0102030405", 1_000_000_002)]
    [InlineData("a1b23c4d 0002 0004 00000000 00000000 00040000 00000065 00000001 00000002 00000005 00000007 0102030405", 1_000_000_002)]
    public void Pcap_of_either_byte_order_and_unit_of_time(string hexadecimal, long nanoseconds)
    {
        var frame = Assert.Single(Read(Convert.FromHexString(hexadecimal.Replace(" ", "", StringComparison.Ordinal))));
        Assert.Equal((PcapngWriter.RawIp, 7, nanoseconds), (frame.LinkType, frame.Length, frame.Nanoseconds));
        Assert.Equal(Bytes, frame.Bytes);
    }

    [Fact]
    public void Cut_anywhere_it_is_said_or_nothing_is_missing()
    {
        var file = Written();
        for (var length = 0; length < file.Length; length++)
        {
            var (frames, fault) = TryRead(file[..length]);
            Assert.True(frames < 2 || fault is not null || length > file.Length - 80, $"{length}: {frames} frames");
        }
    }

    [Fact]
    public void Whatever_the_bytes_are_there_are_frames_or_one_kind_of_exception()
    {
        var whole = Written();
        Prop.ForAll(ArbMap.Default.ArbFor<(NonNegativeInt, byte)[]>(), changes =>
        {
            var file = whole.ToArray();
            foreach (var (at, value) in changes)
            {
                file[at.Get % file.Length] = value;
            }
            _ = TryRead(file);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => { _ = TryRead([0x0a, 0x0d, 0x0d, 0x0a, .. bytes]); _ = TryRead([0xd4, 0xc3, 0xb2, 0xa1, .. bytes]); }).Check(Config.QuickThrowOnFailure);
    }

    [Theory]
    [InlineData("", "it is no capture file: it is too short for one")]
    [InlineData("not a capture at all", "it is no capture file: it begins neither as pcapng nor as pcap")]
    [InlineData("\n\r\r\n????????????", "it is no capture file: a section of pcapng begins without its byte order")]
    public void What_is_no_capture_is_refused(string text, string why) =>
        Assert.Equal(why, Assert.Throws<CaptureFileException>(() => Read(System.Text.Encoding.ASCII.GetBytes(text))).Message);

    private static List<RecordedFrame> Read(byte[] file) => [.. CaptureFile.Read(new MemoryStream(file))];

    private static (int Frames, string? Fault) TryRead(byte[] file)
    {
        var frames = 0;
        try
        {
            foreach (var frame in CaptureFile.Read(new MemoryStream(file)))
            {
                frames++;
            }
            return (frames, null);
        }
        catch (CaptureFileException fault)
        {
            return (frames, fault.Message);
        }
    }

    private static byte[] Written()
    {
        const long time = 1_700_000_000_000_000_000;
        using var to = new MemoryStream();
        var writer = new PcapngWriter(to);
        writer.WriteHeader("test");
        writer.WriteInterface("node-1/eth0", "wire", PcapngWriter.Ethernet, 0);
        writer.WriteInterface("node-1/cni0", "bridge of node-1", PcapngWriter.Ethernet, 0);
        writer.WriteFrame(0, time + 1, Bytes, 5, isOutgoing: false);
        writer.WriteFrame(1, time + 2, Bytes, 99, isOutgoing: true, "client → website", "rewritten");
        writer.WriteStatistics(0, time + 3, 1, 0);
        return to.ToArray();
    }
}
