using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Plumb.Lab.Workloads;

/// <summary>The UDP side of the workloads: netexec's commands, or each datagram sent back.</summary>
internal static class DatagramAnswers
{
    private const int MaxDatagramBytes = 65_535;

    /// <summary>Until the socket is closed.</summary>
    public static async Task RunAsync(Socket socket, Workload workload, bool echoAll)
    {
        var buffer = new byte[MaxDatagramBytes];
        var anyone = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (true)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone);
                var datagram = buffer.AsMemory(0, received.ReceivedBytes);
                var client = (IPEndPoint)received.RemoteEndPoint;
                var answer = echoAll ? datagram : Command(Encoding.UTF8.GetString(datagram.Span), ClientAddress.Of(client.Address, client.Port), workload);
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

    /// <summary>netexec's UDP commands; the answer to an unknown one is nothing, as there.</summary>
    internal static ReadOnlyMemory<byte> Command(string text, IPEndPoint client, Workload workload)
    {
        var command = text.TrimEnd('\n', '\r');
        if (command.StartsWith("echo ", StringComparison.Ordinal))
        {
            return Encoding.UTF8.GetBytes(command[5..]);
        }

        return command switch
        {
            _ when workload.Program is ServeHostname => Encoding.UTF8.GetBytes(workload.HostName),
            "hostname" or "hostName" => Encoding.UTF8.GetBytes(workload.HostName),
            "clientip" => Encoding.UTF8.GetBytes(client.ToString()),
            _ => ReadOnlyMemory<byte>.Empty,
        };
    }
}
