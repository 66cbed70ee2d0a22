using System.Net.Sockets;
using System.Text;
using Plumb.Linux.Native;
using Plumb.Linux.Sockets;

namespace Plumb.Linux.Tests.Sockets;

public sealed class UnixRequestTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("plumb-");

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 200, "application/json", "{}")]
    [InlineData("HTTP/1.1 404 Not Found\r\ncontent-length:3\r\n\r\nno\n", 404, null, "no\n")]
    [InlineData("HTTP/1.0 200 OK\r\n\r\nuntil it closes", 200, null, "until it closes")]
    public async Task An_answer_is_read_to_its_end(string answer, int status, string? type, string body)
    {
        var (asked, given) = await AskAsync(answer);
        Assert.Equal("GET /status HTTP/1.0\r\nHost: unix\r\nContent-Length: 0\r\n\r\n", asked);
        Assert.Equal((status, type, body), (given.Status, given["Content-Type"], Encoding.UTF8.GetString(given.Body.Span)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}")]
    [InlineData("hello\r\n\r\n")]
    public Task What_ends_early_is_no_answer(string answer) => Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(answer));

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    public async Task What_is_longer_than_it_may_be_is_not_read_to_its_end(int mostBytes)
    {
        const string header = "HTTP/1.0 200 OK\r\n\r\n";
        Assert.Equal(mostBytes - header.Length, (await AskAsync(header.PadRight(mostBytes, '1'), mostBytes)).Given.Body.Length);
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(header.PadRight(mostBytes + 1, '1'), mostBytes));
        Assert.Equal($"the answer to /status is longer than {mostBytes} bytes: ask for a part of it", refused.Message);
    }

    [Fact]
    public void Nobody_listens() => Assert.Throws<SystemCallException>(() => UnixRequest.Send(Path.Combine(_folder.FullName, "none"), "GET", "/"));

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task<(string Asked, UnixAnswer Given)> AskAsync(string answer, int mostBytes = 1 << 20)
    {
        var path = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var asking = Task.Run(() => UnixRequest.Send(path, "GET", "/status", default, mostBytes), TestContext.Current.CancellationToken);
        using var server = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        var buffer = new byte[1024];
        var length = await server.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        await server.SendAsync(Encoding.UTF8.GetBytes(answer), TestContext.Current.CancellationToken);
        server.Close();
        return (Encoding.ASCII.GetString(buffer, 0, length), await asking);
    }
}
