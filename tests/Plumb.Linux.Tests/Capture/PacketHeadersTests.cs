using Plumb.Linux.Capture;

namespace Plumb.Linux.Tests.Capture;

public sealed class PacketHeadersTests
{
    // 192.168.1.11:49152 → 192.168.1.12:8472, VNI 1: 10.244.1.2:50922 → 10.244.2.3:80 SYN, sequence 0x01020304.
    private const string Vxlan =
        "024cc0a8010c024cc0a8010b0800" + "4500006e000040004011b731c0a8010bc0a8010c" + "c0002118005a0000" + "0800000000000100"
        + "0a56c0a8010c0a56c0a8010b0800" + "4500003c000040003f06225a0af401020af40203" + "c6ea0050" + "01020304" + "00000000" + "a002faf000000000" + "020405780402080a0000000100000000010303070000";

    [Fact]
    public void A_tunnels_packet_and_what_it_carries_are_read()
    {
        var frame = Convert.FromHexString(Vxlan);
        Assert.True(PacketHeaders.TryRead(frame, 1, out var outer));
        Assert.Equal("192.168.1.11:49152 → 192.168.1.12:8472", $"{outer.Source}:{outer.SourcePort} → {outer.Destination}:{outer.DestinationPort}");
        Assert.True(outer.TryReadVxlan(frame, 8472, out var network, out var inner));
        Assert.Equal("1 10.244.1.2:50922 → 10.244.2.3:80", $"{network} {inner.Source}:{inner.SourcePort} → {inner.Destination}:{inner.DestinationPort}");
        Assert.Equal((0x01020304u, (byte)2, 63), (inner.Sequence, inner.TcpFlags, inner.TimeToLive));
        Assert.False(outer.TryReadVxlan(frame, 4789, out _, out _));
    }

    [Fact]
    public void Cut_and_damaged_frames_never_throw()
    {
        var random = new Random(1);
        var whole = Convert.FromHexString(Vxlan);
        for (var i = 0; i < 200_000; i++)
        {
            var frame = whole[..random.Next(whole.Length + 1)];
            for (var changes = random.Next(6); changes > 0 && frame.Length > 0; changes--)
            {
                frame[random.Next(frame.Length)] = (byte)random.Next(256);
            }
            if (PacketHeaders.TryRead(frame, random.Next(4) == 0 ? (ushort)0xfffe : (ushort)1, out var headers))
            {
                Assert.InRange(headers.PayloadAt, 0, frame.Length);
                _ = headers.TryReadVxlan(frame, headers.DestinationPort, out _, out _);
            }
        }
    }
}
