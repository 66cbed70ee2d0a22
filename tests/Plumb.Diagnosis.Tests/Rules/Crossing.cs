using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Ipset;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>
/// Three namespaces in a row: packets of any address and port go from the first through the second, where rules are, and the third takes whatever comes.
/// </summary>
internal sealed class Crossing : IDisposable
{
    /// <summary>Rules let packets to this port alone: where one arrives, what was sent before it has been dealt with.</summary>
    public const ushort MarkerPort = 9;

    public static readonly NamespaceId Router = new("router");
    public static readonly IpAddress RouterAddress = IpAddress.V4(192, 0, 2, 1);

    private readonly NetworkNamespace _client = NetworkNamespace.Create();
    private readonly NetworkNamespace _router = NetworkNamespace.Create();
    private readonly NetworkNamespace _server = NetworkNamespace.Create();
    private readonly Socket _sender;
    private readonly Socket _receiver;
    private readonly NetlinkSocket _netfilter;
    private ushort _markers;

    public Crossing()
    {
        // Neighbour discovery would be counted too.
        foreach (var place in (NetworkNamespace[])[_client, _router, _server])
        {
            Shell(place, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
        }
        Shell(_router, """
            ip link set lo up
            ip link add c type veth peer name eth0 netns /proc/self/fd/8
            ip link add s type veth peer name eth0 netns /proc/self/fd/9
            ip link set c address 02:00:00:00:00:01 up
            ip link set s address 02:00:00:00:00:02 up
            ip addr add 192.0.2.1/24 dev c
            ip addr add 198.51.100.1/24 dev s
            ip route add 10.1.0.0/16 via 192.0.2.2 dev c
            ip route add default via 198.51.100.2 dev s
            ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:03 dev c nud permanent
            ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:04 dev s nud permanent
            sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.c.rp_filter=0
            """);
        Shell(_client, """
            ip link set eth0 address 02:00:00:00:00:03 up
            ip addr add 192.0.2.2/24 dev eth0
            ip route add default via 192.0.2.1
            ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
            """);
        Shell(_server, "ip link set eth0 address 02:00:00:00:00:04 up");
        _sender = _client.OpenRaw(AddressFamily.InterNetwork, (IpProtocol)255);
        _sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.HeaderIncluded, true);
        _receiver = _server.OpenPacket(etherType: 0x0800);
        _netfilter = _router.OpenNetlink(NetlinkFamily.Netfilter);
        AwaitCarrier();
    }

    public IReadOnlyList<Observed> Observe() => NftablesKernel.Observe(_netfilter, Router);

    public IReadOnlyList<IpSet> Sets() => IpSetKernel.List(_netfilter);

    public void Apply(IEnumerable<DeltaItem> items) => NftablesKernel.Apply(_netfilter, [.. items]);

    /// <summary>Runs a program in the router's namespace with this input, and gives what it printed.</summary>
    public string Run(string input, params string[] command) => Shell(_router, input, command);

    public void Flush() => Shell(_router, "flush ruleset\n", "nft", "-f", "-");

    /// <summary>Sends a packet and a marker after it.</summary>
    /// <returns>The packet as it came out of the router; null: it did not.</returns>
    public Packet? Send(Packet packet)
    {
        Emit(packet);
        Emit(Marker(++_markers));
        Packet? arrived = null;
        var buffer = new byte[2048];
        while (true)
        {
            Assert.True(_receiver.Poll(TimeSpan.FromSeconds(20), SelectMode.SelectRead), "the marker did not arrive");
            var length = _receiver.Receive(buffer);
            if (Read(buffer.AsSpan(14, length - 14)) is not { } seen)
            {
                continue;
            }
            if (seen.DestinationPort == MarkerPort && seen.Protocol == Packet.Udp)
            {
                if (seen.SourcePort == _markers)
                {
                    return arrived;
                }
                continue;
            }
            arrived = seen;
        }
    }

    // A device whose other end came up after it sends nothing until the kernel has looked at its carrier again, which it does once a second for all (linkwatch).
    private void AwaitCarrier()
    {
        for (var tries = 0; ; tries++)
        {
            Emit(Marker(++_markers));
            if (_receiver.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead))
            {
                return;
            }
            Assert.True(tries < 1000, "nothing crosses");
        }
    }

    private static Packet Marker(ushort number) => new(IpAddress.V4(10, 1, 255, 255), IpAddress.V4(10, 9, 255, 255), Packet.Udp) { SourcePort = number, DestinationPort = MarkerPort };

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
        _netfilter.Dispose();
        _client.Dispose();
        _router.Dispose();
        _server.Dispose();
    }

    private void Emit(Packet packet) =>
        _sender.SendTo(Bytes(packet), new IPEndPoint(packet.Destination.ToIPAddress(), 0));

    private static byte[] Bytes(Packet packet)
    {
        const int header = 20;
        var bytes = new byte[packet.Length];
        var ip = bytes.AsSpan();
        ip[0] = 0x45;
        ip[1] = packet.TrafficClass;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)bytes.Length);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], 1);
        ip[6] = packet.DontFragment ? (byte)0x40 : (byte)0;
        ip[8] = packet.TimeToLive;
        ip[9] = packet.Protocol;
        packet.Source.WriteBytes(ip[12..]);
        packet.Destination.WriteBytes(ip[16..]);
        var body = ip[header..];
        var checksumAt = 6;
        switch (packet.Protocol)
        {
            case Packet.Icmp:
                (body[0], body[1], checksumAt) = (packet.Message!.Value.Type, packet.Message.Value.Code, 2);
                BinaryPrimitives.WriteUInt16BigEndian(body[4..], packet.EchoId);
                break;
            case Packet.Tcp:
                (body[12], body[13], checksumAt) = (0x50, (byte)packet.Flags, 16);
                BinaryPrimitives.WriteUInt16BigEndian(body[14..], 64240);
                goto default;
            case Packet.Udp:
                BinaryPrimitives.WriteUInt16BigEndian(body[4..], (ushort)body.Length);
                goto default;
            default:
                BinaryPrimitives.WriteUInt16BigEndian(body, packet.SourcePort);
                BinaryPrimitives.WriteUInt16BigEndian(body[2..], packet.DestinationPort);
                break;
        }
        uint sum = packet.Protocol == Packet.Icmp ? 0 : packet.Protocol + (uint)body.Length + Sum(ip[12..header]);
        sum += Sum(body);
        while (sum >> 16 != 0)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        BinaryPrimitives.WriteUInt16BigEndian(body[checksumAt..], (ushort)~sum);
        return bytes;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (var i = 0; i + 1 < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        }
        return bytes.Length % 2 == 0 ? sum : sum + ((uint)bytes[^1] << 8);
    }

    private static Packet? Read(ReadOnlySpan<byte> ip)
    {
        if (ip.Length < 28 || ip[0] != 0x45)
        {
            return null;
        }
        var body = ip[20..];
        var isEcho = ip[9] == Packet.Icmp;
        IpAddress.TryRead(ip.Slice(12, 4), out var source);
        IpAddress.TryRead(ip.Slice(16, 4), out var destination);
        return new Packet(source, destination, ip[9])
        {
            TrafficClass = ip[1],
            TimeToLive = ip[8],
            Length = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]),
            Message = isEcho ? new IcmpKind(body[0], body[1]) : null,
            EchoId = isEcho ? BinaryPrimitives.ReadUInt16BigEndian(body[4..]) : (ushort)0,
            SourcePort = isEcho ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(body),
            DestinationPort = isEcho ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(body[2..]),
            Flags = ip[9] == Packet.Tcp ? (TcpFlags)body[13] : TcpFlags.None,
        };
    }

    private string Shell(NetworkNamespace inside, string input, params string[] command)
    {
        command = command.Length > 0 ? command : ["sh", "-e"];
        input = input.Replace("/proc/self/fd/8", _client.ProcPath, StringComparison.Ordinal).Replace("/proc/self/fd/9", _server.ProcPath, StringComparison.Ordinal);
        var start = new ProcessStartInfo("nsenter", [$"--net={inside.ProcPath}", .. command]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XTABLES_LOCKFILE"] = "/dev/null"; // /run belongs to the machine's root
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{error.GetAwaiter().GetResult()}\n{input}");
        return output;
    }
}
