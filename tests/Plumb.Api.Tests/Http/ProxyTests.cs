using System.Net;
using System.Net.Sockets;
using System.Text;
using Plumb.Api.Tests.Streaming;

namespace Plumb.Api.Tests.Http;

/// <summary>`kubectl proxy` and `kubectl get --raw` to what pods and Services serve.</summary>
public sealed class ProxyTests
{
    private const string Default = "/api/v1/namespaces/default";

    /// <summary>A program that says back what it was asked, once for each connection.</summary>
    private sealed class Echo : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public Echo()
        {
            _listener.Start();
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    var stream = client.GetStream();
                    var asked = new StringBuilder();
                    var buffer = new byte[4096];
                    while (!Whole(asked.ToString()))
                        asked.Append(Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer)));
                    var head = asked.ToString().Contains("/moved", StringComparison.Ordinal) ? "302 Found\r\nLocation: /there?x=1" : "418 I'm a teapot\r\nX-Kind: tea";
                    await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nContent-Type: text/plain\r\nContent-Length: {asked.Length}\r\nConnection: close\r\n\r\n{asked}"));
                }
            }
            catch (Exception stopped) when (stopped is ObjectDisposedException or SocketException)
            {
            }
        }

        private static bool Whole(string asked) => asked.Contains("\r\n\r\n", StringComparison.Ordinal) && (!asked.Contains("Content-Length: 5", StringComparison.Ordinal) || asked.EndsWith("hello", StringComparison.Ordinal));
    }

    private static async Task<TestServer> WithPodAsync(int port)
    {
        var server = await TestServer.StartAsync(runtime: new HostRuntime());
        var pod = await server.CreateAsync(Default + "/pods", "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeName\":\"n\",\"containers\":[{\"name\":\"c\",\"image\":\"i:1\",\"ports\":[{\"containerPort\":" + port + "}]}]}}");
        await server.CreateAsync(Default + "/services", """{"metadata":{"name":"s"},"spec":{"ports":[{"name":"web","port":80},{"name":"other","port":81}]}}""");
        await server.CreateAsync(Default + "/endpoints",
            "{\"metadata\":{\"name\":\"s\"},\"subsets\":[{\"addresses\":[{\"ip\":\"10.0.0.1\",\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"" + pod["metadata"]!["uid"] + "\"}}],\"ports\":[{\"name\":\"web\",\"port\":" + port + "}]}]}");
        return server;
    }

    [Theory]
    [InlineData("pods/p")]
    [InlineData("pods/p:PORT")]
    [InlineData("pods/http:p:PORT")]
    [InlineData("services/s:80")]
    [InlineData("services/s:web")]
    [InlineData("services/http:s:web")]
    public async Task A_request_goes_on_as_it_is_and_its_answer_comes_back(string to)
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        using var answer = await server.RawAsync("POST", $"{Default}/{to.Replace("PORT", $"{echo.Port}", StringComparison.Ordinal)}/proxy/a%20b//c?x=1&y", "hello", "text/x-greeting");
        var asked = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal((418, "tea"), ((int)answer.StatusCode, answer.Headers.GetValues("X-Kind").Single()));
        Assert.StartsWith("POST /a%20b//c?x=1&y HTTP/1.1\r\n", asked, StringComparison.Ordinal);
        Assert.Contains("Content-Type: text/x-greeting", asked, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nhello", asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_a_program_points_to_itself_it_points_through_the_proxy()
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        foreach (var (path, end, asked) in ((string, string, string)[])[("/pods/p/proxy/moved", "/pods/p/proxy/there?x=1", "/there?x=1"), ("/services/s:web/proxy", "/services/s:web/proxy/", "/")])
        {
            // The client goes where it is led.
            using var answer = await server.RawAsync("GET", Default + path);
            Assert.Equal(Default + end, answer.RequestMessage!.RequestUri!.PathAndQuery);
            Assert.StartsWith($"GET {asked} HTTP/1.1\r\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("services/s:99", 503, "no service port 99 found for service \"s\"")]
    [InlineData("services/s:other", 503, "no endpoints available for service \"s:other\"")]
    [InlineData("services/s", 503, "no endpoints available for service \"s\"")]
    [InlineData("services/none", 404, "services \"none\" not found")]
    [InlineData("services/ftp:s:80", 400, "invalid service request \"ftp:s:80\"")]
    [InlineData("pods/none", 404, "pods \"none\" not found")]
    [InlineData("pods/p:x", 400, "invalid pod request \"p:x\"")]
    [InlineData("pods/p", 503, "error trying to reach service: ")]
    public async Task What_cannot_be_reached_is_told(string to, int code, string why)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var server = await WithPodAsync(((IPEndPoint)taken.LocalEndPoint!).Port);
        var (status, answer) = await server.SendAsync("GET", $"{Default}/{to}/proxy/");
        Assert.Equal(code, (int)status);
        Assert.StartsWith(why, (string)answer["message"]!, StringComparison.Ordinal);
    }
}
