using System.Net;
using System.Net.Sockets;
using System.Text;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Network.Tests.Services;

/// <summary>What became of a question to an address.</summary>
/// <param name="Server">Who answered; null: nobody.</param>
/// <param name="Seen">The address that the server saw.</param>
/// <param name="IsRefused">Whether the kernel said at once that there is nobody; else there was silence.</param>
internal readonly record struct Heard(string? Server, IpAddress? Seen, bool IsRefused)
{
    public static Heard Refused { get; } = new(null, null, true);

    public static Heard Silence { get; } = new(null, null, false);

    public override string ToString() => Server is not null ? $"{Server} saw {Seen}" : IsRefused ? "refused" : "silence";
}

/// <summary>Servers that answer with their name and the address that they see, over TCP and UDP, until disposed of.</summary>
internal sealed class Server : IDisposable
{
    private readonly List<Socket> _sockets = [];

    /// <param name="only">The one address to answer at; null: any.</param>
    public Server(string name, NetworkNamespace inside, int port, bool dual = false, IPAddress? only = null)
    {
        foreach (var any in dual ? [IPAddress.Any, IPAddress.IPv6Any] : new[] { only ?? IPAddress.Any })
        {
            var family = any.AddressFamily;
            var tcp = inside.OpenTcp(family);
            var udp = inside.OpenUdp(family);
            if (family == AddressFamily.InterNetworkV6)
            {
                (tcp.DualMode, udp.DualMode) = (false, false);
            }
            tcp.Bind(new IPEndPoint(any, port));
            tcp.Listen(512);
            udp.Bind(new IPEndPoint(any, port));
            _sockets.AddRange([tcp, udp]);
            _ = AcceptAsync(name, tcp);
            _ = AnswerAsync(name, udp, new IPEndPoint(any, 0));
        }
    }

    public void Dispose() => _sockets.ForEach(static socket => socket.Dispose());

    private static async Task AcceptAsync(string name, Socket listener)
    {
        try
        {
            while (true)
            {
                using var accepted = await listener.AcceptAsync();
                await accepted.SendAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)accepted.RemoteEndPoint!).Address}\n"));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The server has ended.
        }
    }

    private static async Task AnswerAsync(string name, Socket socket, IPEndPoint any)
    {
        var buffer = new byte[512];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, any);
                await socket.SendToAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)received.RemoteEndPoint).Address}\n"), received.RemoteEndPoint);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The server has ended.
        }
    }
}

/// <summary>A client's questions.</summary>
internal static class Talk
{
    // Only what is dropped waits so long: a refusal and an answer come at once. A new link's carrier comes a moment after it, and loses who speaks before: TCP says it
    // again after a second.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3);

    /// <param name="patience">Null: three seconds, which is long enough where silence is one of the answers.</param>
    public static async Task<Heard> TcpAsync(NetworkNamespace from, IpAddress to, int port, TimeSpan? patience = null)
    {
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        impatient.CancelAfter(patience ?? _patience);
        try
        {
            using var socket = await from.ConnectTcpAsync(new IPEndPoint(to.ToIPAddress(), port), impatient.Token);
            return await ReadAsync(socket, impatient.Token);
        }
        catch (SocketException)
        {
            return Heard.Refused;
        }
        catch (OperationCanceledException)
        {
            return Heard.Silence;
        }
    }

    public static async Task<Heard> UdpAsync(NetworkNamespace from, IpAddress to, int port)
    {
        using var socket = from.OpenUdp(to.Family == IpFamily.V4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
        return await UdpAsync(socket, to, port);
    }

    /// <summary>From a socket that may have asked before: its port is the same again.</summary>
    public static async Task<Heard> UdpAsync(Socket socket, IpAddress to, int port)
    {
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        impatient.CancelAfter(_patience);
        try
        {
            // Connected, so that the socket hears of refusals.
            await socket.ConnectAsync(new IPEndPoint(to.ToIPAddress(), port), impatient.Token);
            await socket.SendAsync("?"u8.ToArray(), impatient.Token);
            return await ReadAsync(socket, impatient.Token);
        }
        catch (SocketException)
        {
            // Also EPERM: on the node itself a refusal comes from the system call.
            return Heard.Refused;
        }
        catch (OperationCanceledException)
        {
            return Heard.Silence;
        }
    }

    private static async Task<Heard> ReadAsync(Socket socket, CancellationToken cancel)
    {
        var buffer = new byte[512];
        var words = Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, cancel)).Trim().Split(' ');
        return new Heard(words[0], IpAddress.Parse(words[1]), false);
    }
}
