using System.Text;
using Plumb.Linux.Native;

namespace Plumb.Linux.Sockets;

/// <summary>
/// One HTTP/1.0 request (RFC 1945) on a unix socket: what a command asks of a lab or of an agent. It waits for the answer and for nothing else, so it blocks: to
/// start HttpClient, or sockets of .NET at all, takes longer than all the rest of <c>plumb status</c>.
/// </summary>
public static class UnixRequest
{
    /// <summary>Longer than any network's plan or store: twice as much is no array any more.</summary>
    private const int MostAnswerBytes = 1 << 30;

    private const int FirstBufferBytes = 16 * 1024;

    private static ReadOnlySpan<byte> EndOfHeader => "\r\n\r\n"u8;

    /// <param name="path">With a slash in front, and with query.</param>
    /// <param name="mostBytes">Of an answer with its header.</param>
    /// <exception cref="SystemCallException">Nobody listens there, or the connection breaks.</exception>
    /// <exception cref="InvalidDataException">The answer is none, ends early, or is too long to be read.</exception>
    public static UnixAnswer Send(string socketPath, string method, string path, ReadOnlyMemory<byte> body = default, int mostBytes = MostAnswerBytes)
    {
        using var stream = UnixStream.Connect(socketPath);
        stream.Send(Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.0\r\nHost: unix\r\nContent-Length: {body.Length}\r\n\r\n"));
        stream.Send(body.Span);
        return Parse(ReadToEnd(stream, path, mostBytes), path);
    }

    // The server closes behind its answer.
    private static ReadOnlyMemory<byte> ReadToEnd(UnixStream stream, string path, int mostBytes)
    {
        var buffer = new byte[Math.Min(FirstBufferBytes, mostBytes + 1)];
        var length = 0;
        while (stream.Receive(buffer.AsSpan(length)) is var received and > 0)
        {
            length += received;
            if (length > mostBytes)
            {
                throw new InvalidDataException($"the answer to {path} is longer than {mostBytes} bytes: ask for a part of it");
            }
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, mostBytes + 1L));
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
        var whole = new UnixAnswer(status, lines, body);
        return whole["Content-Length"] is { } text && long.TryParse(text, out var length) && length != body.Length
            ? throw new InvalidDataException($"{body.Length} of {length} bytes of an answer to {path}")
            : whole;
    }
}

/// <param name="Header">The lines before the body.</param>
public readonly record struct UnixAnswer(int Status, IReadOnlyList<string> Header, ReadOnlyMemory<byte> Body)
{
    /// <summary>A header's value as it was sent; null: none was.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var line in Header)
            {
                if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                {
                    return line[(name.Length + 1)..].Trim();
                }
            }
            return null;
        }
    }
}
