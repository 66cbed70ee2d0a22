using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Linux.Native;
using Plumb.Linux.Sockets;

namespace Plumb.Dns.Serving;

/// <summary>
/// One thread that takes what has come, answers it and sends the answers: two system calls for up to 64 questions. What others must be asked for
/// is answered later by whoever has the answer.
/// </summary>
internal sealed class UdpService : IAsyncDisposable
{
    private const int MostRequestBytes = 1500;

    private readonly DatagramSocket _socket;
    private readonly Resolver _resolver;
    private readonly Action<Exception> _failed;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public UdpService(DatagramSocket socket, Resolver resolver, Action<Exception> failed)
    {
        _socket = socket;
        _resolver = resolver;
        _failed = failed;
        new Thread(Run, maxStackSize: 1 << 20) { IsBackground = true, Name = "plumb-dns" }.UnsafeStart();
    }

    public PeerAddress Local => _socket.Local;

    public async ValueTask DisposeAsync()
    {
        _socket.EndReceiving();
        await _ended.Task;
        _socket.Dispose();
    }

    private void Run()
    {
        using var batch = new DatagramBatch(MostRequestBytes, MessageWriter.PlumbUdpBytes);
        try
        {
            for (var count = batch.Receive(_socket); count != 0; count = batch.Receive(_socket))
            {
                for (var i = 0; i < count; i++)
                {
                    var request = batch.Request(i);
                    switch (_resolver.Answer(request, batch.NextAnswer, isUdp: true, out var written))
                    {
                        case Outcome.Answered:
                            batch.Answer(i, written);
                            break;
                        case Outcome.Forward:
                            _ = AnswerLaterAsync(request.ToArray(), batch.Peer(i));
                            break;
                    }
                }
                batch.Send(_socket);
            }
        }
        catch (SystemCallException failure)
        {
            _failed(failure);
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private async Task AnswerLaterAsync(byte[] request, PeerAddress peer)
    {
        var answer = new byte[MessageWriter.PlumbUdpBytes];
        var written = await _resolver.AnswerLaterAsync(request, answer, isUdp: true, peer.Host.ToIPAddress());
        if (written != 0 && !_socket.IsClosed)
        {
            Send(answer.AsSpan(0, written), peer);
        }
    }

    private void Send(ReadOnlySpan<byte> answer, in PeerAddress peer)
    {
        try
        {
            _socket.TrySend(answer, peer);
        }
        catch (ObjectDisposedException)
        {
            // The server has ended while others were asked.
        }
    }
}
