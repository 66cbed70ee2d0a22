using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Tests.Forwarding;

/// <summary>Somebody else's server on the loopback: UDP and TCP on one port, answers as the test says.</summary>
internal sealed class FakeUpstream : IAsyncDisposable
{
    private readonly Socket _udp;
    private readonly Socket _tcp;
    private readonly CancellationTokenSource _ending = new();
    private readonly Func<FakeUpstream, byte[], bool, IEnumerable<byte[]>> _answer;
    private readonly Task _serving;
    private int _asked;

    /// <param name="answer">All that is sent for one request; told whether it came by UDP.</param>
    public FakeUpstream(Func<FakeUpstream, byte[], bool, IEnumerable<byte[]>> answer, string host = "127.0.0.2")
    {
        _answer = answer;
        var address = IPAddress.Parse(host);
        _udp = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _tcp = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _udp.Bind(new IPEndPoint(address, 0));
        EndPoint = (IPEndPoint)_udp.LocalEndPoint!;
        _tcp.Bind(EndPoint);
        _tcp.Listen();
        _serving = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>How many requests have come.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Completes with the asker's endpoint when a request comes by UDP.</summary>
    public IPEndPoint? LastAsker { get; private set; }

    /// <summary>One that answers every question for addresses with one.</summary>
    public static FakeUpstream Of(string address, uint ttlSeconds = 60, string host = "127.0.0.2") => new((_, request, _) => [Answer(request, ttlSeconds, address)], host);

    public static FakeUpstream Silent() => new(static (_, _, _) => []);

    /// <summary>A and AAAA records for whatever is asked.</summary>
    public static byte[] Answer(byte[] request, uint ttlSeconds, params string[] addresses) => Write(request, (ref MessageWriter writer, in Query query) =>
    {
        foreach (var address in addresses)
        {
            writer.Write(Section.Answer, query.Name, query.Type, ttlSeconds, IPAddress.Parse(address).GetAddressBytes());
        }
    });

    public static byte[] Missing(byte[] request, uint ttlSeconds, ResponseCode code = ResponseCode.NoSuchName) => Write(request, (ref MessageWriter writer, in Query query) =>
    {
        writer.Code = code;
        byte[] numbers = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, (byte)(ttlSeconds >> 8), (byte)ttlSeconds];
        writer.Write(Section.Authority, DomainName.Parse("example.com").Wire, RecordType.Soa, 9999, [0, 0, .. numbers]);
    });

    public delegate void Writing(ref MessageWriter writer, in Query query);

    public static byte[] Write(byte[] request, Writing write)
    {
        Span<byte> lower = stackalloc byte[255];
        var query = Query.Read(request, lower);
        var to = new byte[ushort.MaxValue];
        var writer = new MessageWriter(query, to, Header.RecursionAvailable);
        write(ref writer, query);
        return to[..writer.Finish()];
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[4096];
        while (true)
        {
            var got = await _udp.ReceiveFromAsync(buffer, EndPoint, _ending.Token);
            Interlocked.Increment(ref _asked);
            LastAsker = (IPEndPoint)got.RemoteEndPoint;
            foreach (var answer in _answer(this, buffer[..got.ReceivedBytes], true))
            {
                await _udp.SendToAsync(answer, got.RemoteEndPoint, _ending.Token);
            }
        }
    }

    private async Task ServeTcpAsync()
    {
        while (true)
        {
            using var client = await _tcp.AcceptAsync(_ending.Token);
            using var stream = new NetworkStream(client);
            var length = new byte[2];
            await stream.ReadExactlyAsync(length, _ending.Token);
            var request = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(request, _ending.Token);
            Interlocked.Increment(ref _asked);
            foreach (var answer in _answer(this, request, false))
            {
                await stream.WriteAsync((byte[])[(byte)(answer.Length >> 8), (byte)answer.Length, .. answer], _ending.Token);
            }
        }
    }
}

/// <summary>The system's clock, which can be put forward.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _shift;

    public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref _shift);

    public void Pass(TimeSpan time) => Interlocked.Add(ref _shift, (long)(time.TotalSeconds * TimestampFrequency));
}
