using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Diagnosis.Capture;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Tests.Capture;

public sealed class FrameLayersTests
{
    private const ushort VxlanPort = 8472;

    private static readonly byte[] Syn = Tcp("GET / HTTP/1.1\r\nHost: website\r\n\r\n"u8, 0x18);
    private static readonly byte[] Inner = V4(6, "10.244.1.2", "10.244.2.7", Syn);

    private readonly FrameLayers _layers = new(
        static address => address.ToString() == "10.244.1.2" ? "client" : null, static mac => mac.ToString() == "02:00:00:00:00:01" ? "eth0 of client" : null, VxlanPort);

    [Fact]
    public void A_packet_in_a_tunnel_is_told_from_the_outside_in() => Assert.Equal(
        """
        ethernet: 02:00:00:00:00:01 (eth0 of client) → all, VLAN 7
        ip: 192.168.1.11 → 192.168.1.12, TTL 64, 123 bytes, DF
        udp: port 50000 → 8472, 95 bytes
        vxlan: VNI 1
        ethernet: 02:00:00:00:00:01 (eth0 of client) → 02:00:00:00:00:02
        ip: 10.244.1.2 (client) → 10.244.2.7, TTL 64, 73 bytes, DF
        tcp: port 40000 → 80, PSH ACK, sequence 7, has all up to 9, 33 bytes
        http: GET / HTTP/1.1
        """,
        Told(Ethernet("ffffffffffff", "020000000001", [0x81, 0x00, 0x00, 0x07, 0x08, 0x00], V4(17, "192.168.1.11", "192.168.1.12", Udp(50_000, VxlanPort, [8, 0, 0, 0, 0, 0, 1, 0, .. Ethernet("020000000002", "020000000001", [0x08, 0x00], Inner)]))), 1));

    [Theory]
    [InlineData(101)]
    [InlineData(228)]
    public void A_message_about_a_packet_quotes_it(int link) => Assert.Equal(
        """
        ip: 10.244.2.7 → 10.244.1.2 (client), TTL 64, 56 bytes, DF
        icmp: ICMP port unreachable
        about: tcp 10.244.1.2 (client) port 40000 → 10.244.2.7 port 80
        """,
        Told(V4(1, "10.244.2.7", "10.244.1.2", [3, 3, 0, 0, 0, 0, 0, 0, .. Inner[..28]]), (ushort)link));

    [Fact]
    public void Who_has_an_address_is_asked_and_told()
    {
        var question = Convert.FromHexString("ffffffffffff020000000001" + "0806" + "0001080006040001" + "020000000001" + "0af40102" + "000000000000" + "0af40101");
        Assert.Equal("ethernet: 02:00:00:00:00:01 (eth0 of client) → all\narp: who has 10.244.1.1? tell 10.244.1.2 (client)", Told(question, 1));
        Assert.Equal("dns: question for website.default.", Told(V4(17, "10.244.1.2", "10.96.0.10", Udp(5000, 53, [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, .. "website"u8, 7, .. "default"u8, 0, 0, 1, 0, 1])), 101).Split('\n')[^1]);
        Assert.Equal("ipv6: fd00::1 → fd00::2, hop limit 64, 48 bytes\nicmpv6: an echo request, number 3", Told(Convert.FromHexString("6000000000083a40" + "fd000000000000000000000000000001fd000000000000000000000000000002" + "8000000000010003"), 101));
    }

    [Fact]
    public void Whatever_the_bytes_are_lines_are_the_answer()
    {
        var whole = Ethernet("020000000002", "020000000001", [0x08, 0x00], V4(17, "192.168.1.11", "192.168.1.12", Udp(50_000, VxlanPort, [8, 0, 0, 0, 0, 0, 1, 0, .. Ethernet("020000000002", "020000000001", [0x08, 0x00], Inner)])));
        Prop.ForAll(ArbMap.Default.ArbFor<(NonNegativeInt, byte)[]>(), ArbMap.Default.ArbFor<NonNegativeInt>(), (changes, cut) =>
        {
            var frame = whole.ToArray();
            foreach (var (at, value) in changes)
            {
                frame[at.Get % frame.Length] = value;
            }
            return _layers.Read(frame.AsSpan(0, cut.Get % (frame.Length + 1)), 1).Count > 0;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
        foreach (var link in (ushort[])[0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 999])
        {
            Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => _layers.Read(bytes, link).Count > 0).QuickCheckThrowOnFailure();
        }
    }

    private string Told(byte[] frame, ushort link) => string.Join('\n', _layers.Read(frame, link).Select(static layer => $"{layer.Name}: {layer.Text}"));

    private static byte[] Ethernet(string to, string from, byte[] type, byte[] packet) => [.. Convert.FromHexString(to), .. Convert.FromHexString(from), .. type, .. packet];

    private static byte[] V4(byte protocol, string from, string to, byte[] transport)
    {
        var header = new byte[20];
        (header[0], header[6], header[8], header[9]) = (0x45, 0x40, 64, protocol);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(20 + transport.Length));
        IpAddress.Parse(from).WriteBytes(header.AsSpan(12));
        IpAddress.Parse(to).WriteBytes(header.AsSpan(16));
        return [.. header, .. transport];
    }

    private static byte[] Udp(ushort from, ushort to, byte[] payload) => [(byte)(from >> 8), (byte)from, (byte)(to >> 8), (byte)to, 0, 0, 0, 0, .. payload];

    private static byte[] Tcp(ReadOnlySpan<byte> payload, byte flags) => [0x9c, 0x40, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, flags, 0, 0, 0, 0, 0, 0, .. payload];
}
