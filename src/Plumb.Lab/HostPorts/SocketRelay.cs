using System.Buffers;
using System.Net.Sockets;

namespace Plumb.Lab.HostPorts;

/// <summary>
/// Carries bytes between two connected TCP sockets until both sides have said that they are done. What one side cannot take is not read from the
/// other; an end of one direction is passed on and leaves the other as it is; a reset becomes a reset.
/// </summary>
internal static class SocketRelay
{
    private const int BufferBytes = 64 << 10;

    /// <summary>Both sockets are closed when it returns. It never fails: what happens to the one side is told to the other, and that is all there is to say.</summary>
    public static async Task RunAsync(Socket left, Socket right, CancellationToken cancel)
    {
        await Task.WhenAll(CopyAsync(left, right, cancel), CopyAsync(right, left, cancel));
        left.Dispose();
        right.Dispose();
    }

    /// <summary>Closes with a reset: the peer learns that something broke, where a mere end would tell it that all has been said.</summary>
    public static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // It is closed, or its peer has reset it.
        }
        socket.Dispose();
    }

    private static async Task CopyAsync(Socket from, Socket to, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                // A connection that says nothing holds no buffer: this returns when there is something to read.
                await from.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancel);
                var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
                try
                {
                    var read = await from.ReceiveAsync(buffer, SocketFlags.None, cancel);
                    if (read == 0)
                    {
                        to.Shutdown(SocketShutdown.Send);
                        return;
                    }
                    for (var sent = 0; sent < read;)
                    {
                        sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), SocketFlags.None, cancel);
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Ends the other direction, too.
            Reset(from);
            Reset(to);
        }
    }
}
