using System.Net.Sockets;
using System.Text;

namespace Plumb.Lab.Running;

/// <summary>
/// One HTTP/1.0 request (RFC 1945) on a unix socket: what a command asks of a lab. It waits for the answer and for nothing else, so it blocks: to
/// start HttpClient and its asynchronous sockets takes longer than all the rest of <c>plumb status</c>.
/// </summary>
internal static class UnixRequest
{
    private const int FirstBufferBytes = 16 * 1024;

    private static ReadOnlySpan<byte> EndOfHeader => "\r\n\r\n"u8;

    /// <param name="path">With a slash in front, and with query.</param>
    /// <exception cref="SocketException">Nobody listens there, or the connection breaks.</exception>
    /// <exception cref="InvalidDataException">The answer is none, or ends early.</exception>
    public static UnixAnswer Send(string socketPath, string method, string path)
    {
        using var socket = Dial(socketPath);
        socket.Send(Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.0\r\nHost: unix\r\nContent-Length: 0\r\n\r\n"));
        return Parse(ReadToEnd(socket), path);
    }

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

    // The server closes behind its answer.
    private static ReadOnlyMemory<byte> ReadToEnd(Socket socket)
    {
        var buffer = new byte[FirstBufferBytes];
        var length = 0;
        while (socket.Receive(buffer.AsSpan(length)) is var received and > 0)
        {
            length += received;
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * buffer.Length);
            }
        }
        return buffer.AsMemory(0, length);
    }

    private static UnixAnswer Parse(ReadOnlyMemory<byte> answer, string path)
    {
        var end = answer.Span.IndexOf(EndOfHeader);
        if (end < 0)
        {
            throw new InvalidDataException($"no answer to {path}");
        }
        var lines = Encoding.ASCII.GetString(answer.Span[..end]).Split("\r\n");
        if (lines[0].Split(' ') is not [_, var code, ..] || !int.TryParse(code, out var status))
        {
            throw new InvalidDataException($"'{lines[0]}' is no answer to {path}");
        }
        var body = answer[(end + EndOfHeader.Length)..];
        return Header(lines, "Content-Length") is { } text && long.TryParse(text, out var length) && length != body.Length
            ? throw new InvalidDataException($"{body.Length} of {length} bytes of an answer to {path}")
            : new UnixAnswer(status, Header(lines, "Content-Type"), body);
    }

    private static string? Header(string[] lines, string name)
    {
        foreach (var line in lines)
        {
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return line[(name.Length + 1)..].Trim();
            }
        }
        return null;
    }
}

/// <param name="Type">Content-Type as it was sent; null: none was.</param>
internal readonly record struct UnixAnswer(int Status, string? Type, ReadOnlyMemory<byte> Body);
