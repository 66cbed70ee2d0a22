using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;
using Plumb.Linux.Namespaces;

namespace Plumb.Linux.Tests.Capture;

public sealed class PacketRingTests
{
    [Fact(Timeout = 60_000)]
    public async Task Every_frame_of_a_namespace_is_caught_with_its_device_and_direction_and_tshark_reads_it_back()
    {
        using var network = NetworkNamespace.Create();
        await Witness.Shell(network, "ip link set lo up; ip link add va type veth peer name vb; ip link set va up; ip link set vb up");
        var index = (await Witness.Json(network, "ip -j link show lo"))[0]!["ifindex"]!.GetValue<int>();
        using var ring = PacketRing.Open(network, 1 << 20);
        await Witness.Shell(network, "ping -c 3 -i 0.01 -W 5 127.0.0.1 >/dev/null");

        var file = Path.GetTempFileName();
        try
        {
            var directions = new List<FrameDirection>();
            await using (var stream = File.Create(file))
            {
                var writer = new PcapngWriter(stream);
                writer.WriteHeader("test");
                writer.WriteNames([(IpAddress.Parse("127.0.0.1"), "here.example")]);
                var place = writer.WriteInterface("node-1/lo", "loopback of node-1", PcapngWriter.Ethernet, 0);
                // Each echo request and reply passes loopback twice: out, and in.
                while (directions.Count < 12)
                {
                    PacketRing.Wait([ring], TimeSpan.FromSeconds(1));
                    ring.Drain((in CapturedFrame frame) =>
                    {
                        if (frame.Device == index && PacketHeaders.TryRead(frame.Bytes, frame.HardwareType, out var headers) && headers.Protocol == PacketHeaders.Icmp)
                        {
                            directions.Add(frame.Direction);
                            writer.WriteFrame(place, frame.Nanoseconds, frame.Bytes, frame.Length, frame.Direction == FrameDirection.Outgoing, $"number {directions.Count}", "ünïcode");
                        }
                    });
                }
                writer.WriteStatistics(place, 0, directions.Count, ring.Dropped);
                writer.Flush();
            }
            Assert.Equal((6, 6), (directions.Count(static one => one == FrameDirection.Outgoing), directions.Count(static one => one == FrameDirection.ToThisHost)));

            var read = (await Witness.Run(
                null, "tshark", "-r", file, "-N", "n", "-T", "fields", "-e", "frame.interface_name", "-e", "frame.interface_description", "-e", "icmp.type", "-e", "icmp.seq", "-e", "frame.comment", "-e", "ip.src_host")).TrimEnd().Split('\n');
            Assert.Equal(12, read.Length);
            Assert.Equal("node-1/lo\tloopback of node-1\t8\t1\tnumber 1,ünïcode\there.example", read[0]);
            Assert.All(read, static line => Assert.StartsWith("node-1/lo", line, StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_filter_that_tcpdump_compiled_takes_only_what_it_says_and_so_much_of_it()
    {
        using var network = NetworkNamespace.Create();
        await Witness.Shell(network, "ip link set lo up");
        var filter = FilterProgram.Parse(await Witness.Run(null, "tcpdump", "-y", "EN10MB", "-s", "64", "-ddd", "icmp[icmptype] == icmp-echo"));
        using var ring = PacketRing.Open(network, 1 << 20, filter);
        await Witness.Shell(network, "ping -c 2 -i 0.01 -W 5 127.0.0.1 >/dev/null");
        var frames = new List<(byte Type, int Captured, int Length)>();
        while (frames.Count < 4)
        {
            PacketRing.Wait([ring], TimeSpan.FromSeconds(1));
            ring.Drain((in CapturedFrame frame) =>
            {
                Assert.True(PacketHeaders.TryRead(frame.Bytes, frame.HardwareType, out var headers));
                frames.Add((headers.Type, frame.Bytes.Length, frame.Length));
            });
        }
        Assert.Equal(Enumerable.Repeat(((byte)8, 64, 98), 4), frames);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_the_ring_has_no_room_for_is_counted()
    {
        using var network = NetworkNamespace.Create();
        await Witness.Shell(network, "ip link set lo up");
        using var ring = PacketRing.Open(network, 1);
        // Two blocks of 256 KB, and 8 times as much on the way out and in again.
        await Witness.Shell(network, "ping -c 64 -i 0.001 -s 32000 -W 5 127.0.0.1 >/dev/null");
        var caught = 0;
        while (ring.Drain((in CapturedFrame _) => caught++) > 0)
        {
        }
        var dropped = ring.Dropped;
        Assert.InRange(caught, 1, 255);
        Assert.InRange(dropped, 1, 256);
        Assert.Equal(dropped, ring.Dropped);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1\n6 0 0")]
    [InlineData("2\n6 0 0 1")]
    [InlineData("1\n6 0 0 -1")]
    [InlineData("tcpdump: syntax error")]
    public void What_is_no_filter_program_is_refused(string text) => Assert.Throws<FormatException>(() => FilterProgram.Parse(text));
}
