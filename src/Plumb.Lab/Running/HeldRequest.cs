using System.Net.Sockets;
using System.Text;

namespace Plumb.Lab.Running;

/// <summary>
/// Something that a node's agent does for as long as the connection lives over which it was asked for. The kernel closes that whatever becomes of
/// this process.
/// </summary>
public sealed class HeldRequest : IDisposable
{
    private readonly StreamReader _lines;

    private HeldRequest(StreamReader lines) => _lines = lines;

    /// <summary>Completes with the reason when the agent does it no longer; null: the connection was closed, and nobody says why.</summary>
    public async Task<string?> OverAsync(CancellationToken cancel)
    {
        try
        {
            return await _lines.ReadLineAsync(cancel);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _lines.Dispose();

    /// <summary>Returns when the agent has begun.</summary>
    /// <exception cref="LabException">It does not: the message is the agent's.</exception>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    internal static HeldRequest Open(string socketPath, string path)
    {
        var socket = UnixHttp.Dial(socketPath);
        var lines = new StreamReader(new NetworkStream(socket, ownsSocket: true), Encoding.UTF8);
        try
        {
            // HTTP/1.0: what comes is what was written, until the end.
            socket.Send(Encoding.UTF8.GetBytes($"POST {path} HTTP/1.0\r\nHost: unix\r\nContent-Length: 0\r\n\r\n"));
            var status = lines.ReadLine()?.Split(' ') is [_, var code, ..] ? code : "";
            while (lines.ReadLine() is { Length: > 0 })
            {
            }
            // The first line says that it has begun, or why not.
            var said = lines.ReadLine();
            return status == "200" && said is not null ? new HeldRequest(lines) : throw new LabException(said ?? $"the agent answered {status} to {path}");
        }
        catch
        {
            lines.Dispose();
            throw;
        }
    }
}
