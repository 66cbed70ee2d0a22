using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.Sockets;

namespace Plumb.Diagnosis.Observe;

/// <summary>What the sender's socket said in the end.</summary>
public enum ProbeAnswer
{
    Silence,
    Answered,

    /// <summary>A reset, an ICMP error, an error of the system call.</summary>
    Refused,
}

/// <param name="Error">What the sender is told; null: nothing.</param>
/// <param name="HttpStatus">Where a URL was asked for.</param>
public sealed record ProbeEnd(ProbeAnswer Answer, string? Error = null, int? HttpStatus = null)
{
    /// <summary>Where an https URL was asked for.</summary>
    public TlsReport? Tls { get; init; }
}

/// <summary>A packet that is really sent, from inside its sender's namespace: the SYN of a real connection, a datagram, an echo.</summary>
public sealed class Probe : IDisposable
{
    /// <summary>Of what it is known by.</summary>
    public const int TokenBytes = 8;

    private const int SOL_IP = 0;
    private const int IP_MTU_DISCOVER = 10;
    private const int IP_RECVERR = 11;
    private const int SOL_IPV6 = 41;
    private const int IPV6_MTU_DISCOVER = 23;
    private const int IPV6_RECVERR = 25;
    private const int PmtudiscDont = 0;
    private const int PmtudiscDo = 2;

    private readonly byte[] _token;
    private readonly Socket _socket;

    private Probe(Packet packet, Socket socket, byte[] token) => (Packet, _socket, _token, Signs) = (packet, socket, token, ProbeSigns.Of(packet, token));

    /// <summary>As asked for, with the source port, or the identifier of the echo, that it will have.</summary>
    public Packet Packet { get; }

    public ProbeSigns Signs { get; }

    /// <summary>Makes it ready; nothing is sent.</summary>
    /// <param name="packet">Its source port 0: one that the kernel chooses. Its <see cref="Packet.Length"/> is what is sent in all, but for TCP, whose SYN is as long as it is.</param>
    /// <param name="chance">Random bytes, <see cref="TokenBytes"/> of them: by those it is known.</param>
    /// <exception cref="SocketException">EPERM without CAP_NET_ADMIN and CAP_NET_RAW there.</exception>
    public static Probe Open(NetworkNamespace from, Packet packet, ReadOnlySpan<byte> chance)
    {
        ArgumentNullException.ThrowIfNull(packet);
        ArgumentOutOfRangeException.ThrowIfNotEqual(chance.Length, TokenBytes);
        var isV4 = packet.Family == IpFamily.V4;
        var family = isV4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        var token = Token(packet, chance);
        Socket? socket = null;
        try
        {
            socket = packet.Protocol switch
            {
                Packet.Tcp => from.OpenTcp(family),
                Packet.Udp => from.OpenUdp(family),
                _ => from.OpenRaw(family, isV4 ? IpProtocol.Icmp : IpProtocol.Icmpv6),
            };
            // Also errors that a socket otherwise hopes to get over.
            Set(socket, isV4 ? SOL_IP : SOL_IPV6, isV4 ? IP_RECVERR : IPV6_RECVERR, 1);
            if (packet.Protocol != Packet.Tcp)
            {
                Set(socket, isV4 ? SOL_IP : SOL_IPV6, isV4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, packet.DontFragment ? PmtudiscDo : PmtudiscDont);
            }
            if (packet.Protocol is not (Packet.Tcp or Packet.Udp))
            {
                return new Probe(packet with { EchoId = BinaryPrimitives.ReadUInt16BigEndian(token) }, socket, token);
            }
            if (packet.Protocol == Packet.Tcp)
            {
                TcpSequence.Choose(socket, ProbeSigns.Sequence(token));
            }
            socket.Bind(new IPEndPoint(isV4 ? IPAddress.Any : IPAddress.IPv6Any, packet.SourcePort));
            return new Probe(packet with { SourcePort = (ushort)((IPEndPoint)socket.LocalEndPoint!).Port }, socket, token);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <summary>Sends it and waits for what comes back.</summary>
    /// <param name="url">To be asked for once the connection stands; null: the connection is all.</param>
    /// <param name="cancel">Nothing has come, and nobody waits any longer: silence.</param>
    public async Task<ProbeEnd> SendAsync(UrlQuestion? url, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            var to = new IPEndPoint(Packet.Destination.ToIPAddress(), Packet.Protocol is Packet.Tcp or Packet.Udp ? Packet.DestinationPort : 0);
            await _socket.ConnectAsync(to, cancel);
            if (Packet.Protocol == Packet.Tcp)
            {
                return url is null ? new ProbeEnd(ProbeAnswer.Answered) : await UrlTalk.AskAsync(_socket, url, time, cancel);
            }
            await _socket.SendAsync(Content(), SocketFlags.None, cancel);
            var buffer = new byte[ushort.MaxValue];
            while (true)
            {
                var length = await _socket.ReceiveAsync(buffer, SocketFlags.None, cancel);
                if (Packet.Protocol == Packet.Udp || IsEchoReply(buffer.AsSpan(0, length)))
                {
                    return new ProbeEnd(ProbeAnswer.Answered);
                }
            }
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            // A device has dropped it at once, which nobody without IP_RECVERR is told.
            return new ProbeEnd(ProbeAnswer.Silence);
        }
        catch (SocketException refused)
        {
            return new ProbeEnd(ProbeAnswer.Refused, refused.Message);
        }
        catch (OperationCanceledException)
        {
            return new ProbeEnd(ProbeAnswer.Silence);
        }
    }

    public void Dispose() => _socket.Dispose();

    private byte[] Content()
    {
        var header = (Packet.Family == IpFamily.V4 ? 20 : 40) + 8;
        var payload = Math.Max(TokenBytes, Packet.Length - header);
        if (Packet.Protocol == Packet.Udp)
        {
            if (ProbeSigns.IsDns(Packet))
            {
                return DnsQuestion();
            }
            var datagram = new byte[payload];
            _token.CopyTo(datagram, 0);
            return datagram;
        }
        var isV4 = Packet.Family == IpFamily.V4;
        var echo = new byte[8 + payload];
        echo[0] = isV4 ? (byte)8 : (byte)128;
        BinaryPrimitives.WriteUInt16BigEndian(echo.AsSpan(4), Packet.EchoId);
        BinaryPrimitives.WriteUInt16BigEndian(echo.AsSpan(6), 1);
        _token.CopyTo(echo, 8);
        if (isV4)
        {
            // Of ICMPv6 the kernel makes it, with the addresses in it.
            BinaryPrimitives.WriteUInt16BigEndian(echo.AsSpan(2), Checksum(echo));
        }
        return echo;
    }

    // The address of TOKEN.cluster.local, which nobody has: an answer it is all the same.
    private byte[] DnsQuestion() =>
        [_token[0], _token[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. _token, 7, .. "cluster"u8, 5, .. "local"u8, 0, 0, 1, 0, 1];

    private bool IsEchoReply(ReadOnlySpan<byte> came)
    {
        // Raw sockets of IPv4 are given the header too.
        var isV4 = Packet.Family == IpFamily.V4;
        var message = isV4 && came.Length > 20 ? came[((came[0] & 15) * 4)..] : came;
        return message.Length >= 8 + TokenBytes && message[0] == (isV4 ? 0 : 129) && message.Slice(8, TokenBytes).SequenceEqual(_token);
    }

    // In a question of DNS it is a label: its length, then letters.
    private static byte[] Token(Packet packet, ReadOnlySpan<byte> chance)
    {
        var token = chance.ToArray();
        if (ProbeSigns.IsDns(packet))
        {
            token[0] = TokenBytes - 1;
            for (var i = 1; i < token.Length; i++)
            {
                token[i] = (byte)('a' + (token[i] % 26));
            }
        }
        return token;
    }

    // RFC 1071
    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (var i = 0; i < bytes.Length; i += 2)
        {
            sum += (uint)(bytes[i] << 8) | (i + 1 < bytes.Length ? bytes[i + 1] : 0u);
        }
        while (sum >> 16 != 0)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return (ushort)~sum;
    }

    private static void Set(Socket socket, int level, int option, int value) => socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
}
