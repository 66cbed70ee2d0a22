using System.Net.Sockets;

namespace Plumb.Lab.Running;

/// <summary>HTTP to a server on a unix socket.</summary>
internal static class UnixHttp
{
    public static HttpClient ClientOf(string socketPath) =>
        new(new SocketsHttpHandler { ConnectCallback = async (_, cancel) => new NetworkStream(await DialAsync(socketPath, cancel), ownsSocket: true) })
        {
            BaseAddress = new Uri("http://unix/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };

    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async Task<Socket> DialAsync(string socketPath, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
