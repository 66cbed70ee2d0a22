using System.Net.Sockets;

namespace Plumb.Lab.Running;

/// <summary>HTTP to a server on a unix socket, for processes that ask it again and again.</summary>
internal static class UnixHttp
{
    public static HttpClient ClientOf(string socketPath) =>
        // A unix socket connects at once or not at all.
        new(new SocketsHttpHandler { ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new NetworkStream(Dial(socketPath), ownsSocket: true)) })
        {
            BaseAddress = new Uri("http://unix/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };

    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static Socket Dial(string socketPath)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
