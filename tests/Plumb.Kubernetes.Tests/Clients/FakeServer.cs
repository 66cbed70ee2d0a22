using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Plumb.Kubernetes.Tests.Clients;

/// <summary>An HTTP/1.1 server of a few lines that does what a test says, broken connections included.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<FakeExchange, Task> handler;
    private readonly List<Task> connections = [];
    private readonly Task accepting;

    public FakeServer(Func<FakeExchange, Task> handler)
    {
        this.handler = handler;
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await accepting;
        // Not before: between two calls to accept there is nobody whom its end would only wake.
        listener.Stop();
        await Task.WhenAll(connections);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                connections.Add(ServeAsync(await listener.AcceptSocketAsync(stop.Token)));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using var stream = new NetworkStream(socket, ownsSocket: true);
            while (await FakeExchange.ReadAsync(stream, stop.Token) is { } exchange)
            {
                await handler(exchange);
                if (exchange.Aborted)
                {
                    socket.LingerState = new LingerOption(true, 0);
                    return;
                }
            }
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
        }
    }
}

/// <summary>One request and the means to answer it.</summary>
internal sealed class FakeExchange
{
    private readonly NetworkStream stream;
    private bool chunked;

    private FakeExchange(NetworkStream stream, string head, string body, CancellationToken stopped)
    {
        this.stream = stream;
        Stopped = stopped;
        string[] lines = head.Split("\r\n");
        string[] first = lines[0].Split(' ');
        Method = first[0];
        Target = first[1];
        foreach (string line in lines.Skip(1))
            Headers[line[..line.IndexOf(':', StringComparison.Ordinal)]] = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        Body = body;
    }

    public string Method { get; }
    public string Target { get; }
    public string Path => Target.Split('?')[0];
    public string Body { get; }
    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);
    public CancellationToken Stopped { get; }
    public bool Aborted { get; private set; }
    public bool IsWatch => Query("watch") == "1";

    public string? Query(string name)
    {
        foreach (string pair in Target.Contains('?', StringComparison.Ordinal) ? Target.Split('?')[1].Split('&') : [])
        {
            if (pair.StartsWith(name + "=", StringComparison.Ordinal))
                return Uri.UnescapeDataString(pair[(name.Length + 1)..]);
        }
        return null;
    }

    /// <param name="header">One more, with its name.</param>
    public Task AnswerAsync(int code, string body, string contentType = "application/json", string? header = null) =>
        WriteAsync($"HTTP/1.1 {code} X\r\n{(header is null ? "" : header + "\r\n")}Content-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public async Task BeginAsync()
    {
        chunked = true;
        await WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    }

    public Task SendAsync(string text) => WriteAsync($"{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n");

    public Task EndAsync() => chunked ? WriteAsync("0\r\n\r\n") : Task.CompletedTask;

    /// <summary>The connection goes, without a goodbye.</summary>
    public void Abort() => Aborted = true;

    public static async Task<FakeExchange?> ReadAsync(NetworkStream stream, CancellationToken stopped)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!(head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n"))
        {
            if (await stream.ReadAsync(one, stopped) == 0)
                return null;
            head.Append((char)one[0]);
        }
        string text = head.ToString().TrimEnd();
        int at = text.IndexOf("Content-Length:", StringComparison.OrdinalIgnoreCase);
        int length = at < 0 ? 0 : int.Parse(text[(at + 15)..].Split("\r\n")[0], CultureInfo.InvariantCulture);
        byte[] body = new byte[length];
        await stream.ReadExactlyAsync(body, stopped);
        return new FakeExchange(stream, text, Encoding.UTF8.GetString(body), stopped);
    }

    private async Task WriteAsync(string text)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), Stopped);
        await stream.FlushAsync(Stopped);
    }
}
