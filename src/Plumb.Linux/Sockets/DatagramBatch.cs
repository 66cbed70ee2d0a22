using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Sockets;

/// <summary>
/// Up to 64 datagrams that come in by one system call (<c>recvmmsg</c>), and as many answers that go out by another (<c>sendmmsg</c>).
/// Its memory is made once; using it allocates nothing. One thread's.
/// </summary>
public sealed unsafe class DatagramBatch : IDisposable
{
    public const int Size = 64;

    private readonly int _requestBytes;
    private readonly int _answerBytes;
    private readonly MessageHeader* _in;
    private readonly MessageHeader* _out;
    private readonly IoVector* _vectors;
    private readonly byte* _peers;
    private readonly byte* _requests;
    private readonly byte* _answers;
    private void* _memory;
    private int _count;
    private int _answerCount;

    /// <param name="requestBytes">Longer datagrams are cut.</param>
    public DatagramBatch(int requestBytes, int answerBytes)
    {
        _requestBytes = requestBytes;
        _answerBytes = answerBytes;
        var headers = 2 * Size * sizeof(MessageHeader);
        var vectors = 2 * Size * sizeof(IoVector);
        const int peer = 32;
        var bytes = headers + vectors + (Size * (peer + requestBytes + answerBytes));
        _memory = NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(_memory, (nuint)bytes);
        _in = (MessageHeader*)_memory;
        _out = _in + Size;
        _vectors = (IoVector*)(_out + Size);
        _peers = (byte*)(_vectors + (2 * Size));
        _requests = _peers + (Size * peer);
        _answers = _requests + (Size * requestBytes);
        for (var i = 0; i < Size; i++)
        {
            _vectors[i] = new IoVector { Base = _requests + (i * requestBytes), Length = (nuint)requestBytes };
            _in[i] = new MessageHeader { Peer = _peers + (i * peer), PeerLength = PeerAddress.MostBytes, Vectors = _vectors + i, VectorCount = 1 };
            _out[i] = new MessageHeader { Vectors = _vectors + Size + i, VectorCount = 1 };
        }
    }

    /// <summary>Waits for at least one datagram. The number of those that came; 0: no more will (<see cref="DatagramSocket.EndReceiving"/>).</summary>
    /// <exception cref="SystemCallException">The socket is of no use any more.</exception>
    public int Receive(DatagramSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        for (var i = 0; i < _count; i++)
        {
            _in[i].PeerLength = PeerAddress.MostBytes;
        }
        _answerCount = 0;
        do
        {
            _count = Libc.ReceiveMany(socket.Number, _in, Size, Libc.MSG_WAITFORONE, null);
        }
        while (_count < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR);
        if (_count < 0)
        {
            _count = 0;
            throw SystemCallException.Last("recvmmsg");
        }
        // An ended socket tells of empty datagrams from nobody, without end.
        return _count > 0 && _in[0].PeerLength == 0 ? 0 : _count;
    }

    public ReadOnlySpan<byte> Request(int index) => new(_requests + (index * _requestBytes), (int)Math.Min(_in[index].Length, (uint)_requestBytes));

    public PeerAddress Peer(int index) => new(new ReadOnlySpan<byte>(_in[index].Peer, (int)_in[index].PeerLength));

    /// <summary>Room for the next answer. What is written there goes out when <see cref="Answer"/> has said to whom.</summary>
    public Span<byte> NextAnswer => new(_answers + (_answerCount * _answerBytes), _answerBytes);

    /// <summary>What stands in <see cref="NextAnswer"/> answers a request.</summary>
    public void Answer(int request, int length)
    {
        _vectors[Size + _answerCount] = new IoVector { Base = _answers + (_answerCount * _answerBytes), Length = (nuint)length };
        _out[_answerCount].Peer = _in[request].Peer;
        _out[_answerCount].PeerLength = _in[request].PeerLength;
        _answerCount++;
    }

    /// <summary>Sends all answers. One that the kernel refuses (its asker is out of reach) is passed over.</summary>
    public void Send(DatagramSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        for (var sent = 0; sent < _answerCount;)
        {
            var now = Libc.SendMany(socket.Number, _out + sent, (uint)(_answerCount - sent), 0);
            if (now < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR)
            {
                continue;
            }
            sent += Math.Max(now, 1);
        }
        _answerCount = 0;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
