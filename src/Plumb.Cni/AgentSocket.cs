namespace Plumb.Cni;

/// <summary>The unix socket on which the node's agent does the plugin's work: one request of HTTP/1.0, one answer, and its end.</summary>
internal static unsafe class AgentSocket
{
    private const nint PathBytes = 108; // sun_path of struct sockaddr_un, with a NUL behind the path

    /// <param name="path">As it stands in the configuration, with JSON's escapes.</param>
    /// <returns>0, or the errno that says why nobody is there.</returns>
    public static nint Ask(Text path, Text call, ref Octets answer)
    {
        var address = stackalloc byte[2 + 108];
        *(ushort*)address = SystemCalls.AF_UNIX;
        if (!ConfigurationText.TryUnescape(path, address + 2, PathBytes - 1))
        {
            return SystemCalls.ENAMETOOLONG;
        }
        var socket = SystemCalls.Socket(SystemCalls.AF_UNIX, SystemCalls.SOCK_STREAM | SystemCalls.SOCK_CLOEXEC, 0);
        if (socket < 0)
        {
            return -socket;
        }
        var connected = SystemCalls.Connect(socket, address, 2 + PathBytes);
        if (connected < 0)
        {
            return -connected;
        }
        Octets head = default;
        head.Add("POST /cni HTTP/1.0\r\nHost: plumb\r\nContent-Length: "u8);
        head.Add(call.Length);
        head.Add("\r\n\r\n"u8);
        head.Add(call);
        var errno = Send(socket, head.All);
        return errno != 0 ? errno : answer.ReadToEnd(socket);
    }

    /// <summary>Takes an answer apart; false: it broke off, or is none.</summary>
    public static bool TryRead(Text answer, out nint status, out Text body)
    {
        Text length = "Content-Length: "u8;
        var end = answer.Find("\r\n\r\n"u8);
        var at = answer.Find(length);
        status = Number(answer.From(9));
        body = answer.From(end + 4);
        return end >= 0 && at >= 0 && at < end && answer.StartsWith("HTTP/1.1 "u8) && body.Length == Number(answer.From(at + length.Length));
    }

    private static nint Send(int socket, Text bytes)
    {
        while (!bytes.IsEmpty)
        {
            var sent = SystemCalls.Send(socket, bytes.Start, bytes.Length, SystemCalls.MSG_NOSIGNAL);
            if (sent >= 0)
            {
                bytes = bytes.From(sent);
            }
            else if (sent != -SystemCalls.EINTR)
            {
                return -sent;
            }
        }
        return 0;
    }

    private static nint Number(Text digits)
    {
        nint number = 0;
        for (nint i = 0; digits[i] is >= (byte)'0' and <= (byte)'9'; i++)
        {
            number = (number * 10) + digits[i] - '0';
        }
        return number;
    }
}
