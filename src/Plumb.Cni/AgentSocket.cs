using System;

namespace Plumb.Cni;

/// <summary>The unix socket on which the node's agent does the plugin's work: one request of HTTP/1.0, one answer, and its end.</summary>
internal static unsafe class AgentSocket
{
    private const int PathBytes = 108; // sun_path of struct sockaddr_un, with a NUL behind the path

    /// <summary>Returns what it answered; null: nobody is there, and <paramref name="errno"/> says why.</summary>
    /// <param name="path">As it stands in the configuration, with JSON's escapes.</param>
    public static Octets? Ask(ReadOnlySpan<byte> path, ReadOnlySpan<byte> call, out int errno)
    {
        const int enametoolong = 36;
        errno = enametoolong;
        var address = stackalloc byte[sizeof(ushort) + PathBytes];
        var bytes = new Span<byte>(address, sizeof(ushort) + PathBytes);
        bytes.Clear();
        *(ushort*)address = SystemCalls.AF_UNIX;
        if (!ConfigurationText.TryUnescape(path, bytes[sizeof(ushort)..^1]))
        {
            return null;
        }
        var socket = SystemCalls.Socket(SystemCalls.AF_UNIX, SystemCalls.SOCK_STREAM | SystemCalls.SOCK_CLOEXEC, 0);
        var head = new Octets().Add("POST /cni HTTP/1.0\r\nHost: plumb\r\nContent-Length: "u8).Add(call.Length).Add("\r\n\r\n"u8);
        var answer = new Octets();
        if (socket >= 0
            && SystemCalls.Connect(socket, address, sizeof(ushort) + PathBytes) == 0
            && Send(socket, head.Add(call).All)
            && answer.ReadToEnd(socket))
        {
            return answer;
        }
        errno = SystemCalls.LastErrno;
        return null;
    }

    /// <summary>Takes an answer apart; false: it broke off, or is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> answer, out int status, out ReadOnlySpan<byte> body)
    {
        status = 0;
        body = [];
        var end = answer.IndexOf("\r\n\r\n"u8);
        var length = answer.IndexOf("Content-Length: "u8);
        if (end < 0 || length < 0 || length > end || !answer.StartsWith("HTTP/1.1 "u8))
        {
            return false;
        }
        status = Number(answer["HTTP/1.1 ".Length..]);
        body = answer[(end + 4)..];
        return body.Length == Number(answer[(length + "Content-Length: ".Length)..]);
    }

    private static bool Send(int socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            fixed (byte* start = bytes)
            {
                var sent = SystemCalls.Send(socket, start, (nuint)bytes.Length, SystemCalls.MSG_NOSIGNAL);
                if (sent < 0 && SystemCalls.LastErrno != SystemCalls.EINTR)
                {
                    return false;
                }
                bytes = bytes[(int)Math.Max(sent, 0)..];
            }
        }
        return true;
    }

    private static int Number(ReadOnlySpan<byte> digits)
    {
        var number = 0;
        for (var i = 0; i < digits.Length && char.IsAsciiDigit((char)digits[i]); i++)
        {
            number = (number * 10) + digits[i] - '0';
        }
        return number;
    }
}
