using System.Net.Sockets;

namespace Plumb.Linux.Sockets;

/// <summary>Takes a listening socket's connections, as many at a time as there is room for; who comes beyond waits in the kernel's backlog.</summary>
public static class TcpAcceptor
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Completes when <paramref name="ending"/> is cancelled, or the socket turns out to be closed.</summary>
    /// <param name="room">A place is taken for each connection; <paramref name="serve"/> gives it back when that has ended. Null: there is always room.</param>
    /// <param name="serve">Begins to serve a connection and returns.</param>
    public static Task RunAsync(Socket listener, SemaphoreSlim? room, Action<Socket> serve, TimeProvider time, CancellationToken ending)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return RunAsync(listener.AcceptAsync, room, serve, time, ending);
    }

    internal static async Task RunAsync(
        Func<CancellationToken, ValueTask<Socket>> accept, SemaphoreSlim? room, Action<Socket> serve, TimeProvider time, CancellationToken ending)
    {
        var pause = FirstPause;
        while (!ending.IsCancellationRequested)
        {
            var held = false;
            try
            {
                if (room is not null)
                {
                    await room.WaitAsync(ending);
                    held = true;
                }
                var client = await accept(ending);
                held = false;
                pause = FirstPause;
                serve(client);
            }
            catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
            {
                // That client went before it was taken in.
            }
            catch (SocketException)
            {
                // No descriptors or memory are left (EMFILE, ENFILE, ENOBUFS), and nobody tells when there are some again.
                await Task.Delay(pause, time, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (Exception closed) when (closed is ObjectDisposedException or OperationCanceledException)
            {
                return;
            }
            finally
            {
                if (held)
                {
                    room!.Release();
                }
            }
        }
    }
}
