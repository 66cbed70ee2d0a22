using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Plumb.Dns.Answering;
using Plumb.Linux.Sockets;

namespace Plumb.Dns.Serving;

/// <summary>The same answers over TCP, where each message stands behind its length in two bytes (RFC 1035, section 4.2.2; RFC 7766).</summary>
internal sealed class TcpService : IAsyncDisposable
{
    private const int LengthBytes = 2;

    // Idle connections are the server's to end.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Socket _listener;
    private readonly Resolver _resolver;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _room;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;

    /// <param name="mostConnections">More wait in the kernel until one ends.</param>
    public TcpService(Socket listener, Resolver resolver, TimeProvider time, int mostConnections)
    {
        _listener = listener;
        _resolver = resolver;
        _time = time;
        _room = new SemaphoreSlim(mostConnections);
        _accepting = TcpAcceptor.RunAsync(listener, _room, client => _ = ServeAsync(client), time, _ending.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _ending.Dispose();
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            client.NoDelay = true;
            using var stream = new NetworkStream(client, ownsSocket: true);
            var asker = ((IPEndPoint)client.RemoteEndPoint!).Address;
            var request = new byte[LengthBytes + ushort.MaxValue];
            var answer = new byte[LengthBytes + ushort.MaxValue];
            while (await TryAnswerAsync(stream, asker, request, answer))
            {
            }
        }
        catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone, or has been silent too long.
        }
        finally
        {
            client.Dispose();
            _room.Release();
        }
    }

    private async Task<bool> TryAnswerAsync(NetworkStream stream, IPAddress asker, byte[] request, byte[] answer)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _ending.Token);
        if (await stream.ReadAtLeastAsync(request.AsMemory(0, LengthBytes), LengthBytes, throwOnEndOfStream: false, either.Token) < LengthBytes)
        {
            return false;
        }
        var message = request.AsMemory(LengthBytes, BinaryPrimitives.ReadUInt16BigEndian(request));
        await stream.ReadExactlyAsync(message, either.Token);
        var outcome = _resolver.Answer(message.Span, answer.AsSpan(LengthBytes), isUdp: false, out var written);
        if (outcome == Outcome.Forward)
        {
            written = await _resolver.AnswerLaterAsync(message, answer.AsMemory(LengthBytes), isUdp: false, asker);
        }
        if (written == 0)
        {
            // Who sends what is no question over a connection will not come to send one.
            return false;
        }
        BinaryPrimitives.WriteUInt16BigEndian(answer, (ushort)written);
        await stream.WriteAsync(answer.AsMemory(0, LengthBytes + written), either.Token);
        return true;
    }
}
