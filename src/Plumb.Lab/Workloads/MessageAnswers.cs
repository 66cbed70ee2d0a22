using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Plumb.Lab.Workloads;

/// <summary>The sides of the workloads that know messages, not streams: UDP and SCTP.</summary>
internal static class MessageAnswers
{
    private const int MaxMessageBytes = 65_535;

    /// <summary>Answers datagrams until the socket is closed.</summary>
    public static async Task RunUdpAsync(Socket socket, ushort port, Workload workload)
    {
        var buffer = new byte[MaxMessageBytes];
        var anyone = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (true)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone);
                var client = (IPEndPoint)received.RemoteEndPoint;
                var answer = workload.Program.AnswerTo(buffer.AsMemory(0, received.ReceivedBytes), ClientAddress.Of(client.Address, client.Port), port, workload);
                if (!answer.IsEmpty)
                {
                    await socket.SendToAsync(answer, SocketFlags.None, client);
                }
            }
            catch (SocketException error) when (error.SocketErrorCode
                is SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.MessageSize)
            {
                // This answer, or an earlier one, could not be delivered; the socket is sound.
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    /// <summary>One association: a word for whoever comes, or an answer to each message.</summary>
    public static async Task ServeSctpAsync(Socket client, ushort port, Workload workload)
    {
        using (client)
        {
            try
            {
                if (workload.Program.GreetingOn(port) is { } greeting)
                {
                    await client.SendAsync(Encoding.UTF8.GetBytes(greeting));
                    return;
                }
                var from = (IPEndPoint)client.RemoteEndPoint!;
                var buffer = new byte[MaxMessageBytes];
                while (await client.ReceiveAsync(buffer) is var length and > 0)
                {
                    var answer = workload.Program.AnswerTo(buffer.AsMemory(0, length), ClientAddress.Of(from.Address, from.Port), port, workload);
                    if (!answer.IsEmpty)
                    {
                        await client.SendAsync(answer);
                    }
                }
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException)
            {
                // It has left, or the container has stopped.
            }
        }
    }
}
