using System.Net.Sockets;
using System.Text;

namespace Plumb.Api.Streaming.Forwarding;

/// <summary>One connection of a port-forward, from opening it inside the pod to the end of both directions.</summary>
internal static class PodConnection
{
    /// <param name="endData">Tells the client that the pod will send no more.</param>
    /// <exception cref="IOException">The client is gone, or let go of this connection.</exception>
    public static async Task ForwardAsync(
        PodIdentity pod, int port, IPodRuntime runtime, Stream input, Stream data, Stream error, Func<ValueTask> endData, CancellationToken gone)
    {
        try
        {
            await using var connection = await runtime.ConnectAsync(pod, port, gone);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(gone);
            var up = UpAsync(input, connection, over);
            try
            {
                await CopyAsync(connection, data, over.Token);
                await endData();
                await up;
            }
            finally
            {
                await over.CancelAsync();
                await up.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (Exception failure) when (failure is not (IOException or OperationCanceledException or OutOfMemoryException))
        {
            var text = $"error forwarding port {port} to pod {pod.Name}, uid {pod.Uid}: {failure.Message}";
            await error.WriteAsync(Encoding.UTF8.GetBytes(text), gone);
        }
    }

    /// <summary>Client to pod. An end of the client's input is passed on as such; a client that vanished ends the other direction too.</summary>
    private static async Task UpAsync(Stream input, Stream connection, CancellationTokenSource over)
    {
        try
        {
            await input.CopyToAsync(new PodWriter(connection), over.Token);
            if (connection is NetworkStream network)
                network.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or PodSideException)
        {
            // The pod takes no more; what it still has to say, the other direction carries.
        }
        catch (Exception)
        {
            await over.CancelAsync();
            throw;
        }
    }

    private static async Task CopyAsync(Stream connection, Stream data, CancellationToken cancel)
    {
        var buffer = new byte[32 * 1024];
        while (true)
        {
            int count;
            try
            {
                count = await connection.ReadAsync(buffer, cancel);
            }
            catch (IOException broken)
            {
                throw new PodSideException(broken);
            }

            if (count == 0)
                return;
            await data.WriteAsync(buffer.AsMemory(0, count), cancel);
        }
    }

    /// <summary>Which of the two sides an IOException came from.</summary>
    private sealed class PodSideException(IOException inner) : Exception(inner.Message, inner);

    private sealed class PodWriter(Stream connection) : WriteOnlyStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                await connection.WriteAsync(buffer, cancellationToken);
            }
            catch (IOException broken)
            {
                throw new PodSideException(broken);
            }
        }
    }
}
