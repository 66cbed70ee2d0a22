using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Tests.Streaming;

namespace Plumb.Api.Tests.Http;

/// <summary>`kubectl proxy` and `kubectl get --raw` to what pods and Services serve.</summary>
public sealed class ProxyTests
{
    private const string Default = "/api/v1/namespaces/default";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

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
                    if (asked.ToString() is var request && request.Contains("/socket", StringComparison.Ordinal))
                    {
                        await ConverseAsync(stream, request);
                        continue;
                    }

                    var head = asked.ToString().Contains("/moved", StringComparison.Ordinal) ? "302 Found\r\nLocation: /there?x=1" : "418 I'm a teapot\r\nX-Kind: tea";
                    await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nContent-Type: text/plain\r\nContent-Length: {asked.Length}\r\nConnection: close\r\n\r\n{asked}"));
                }
            }
            catch (Exception stopped) when (stopped is ObjectDisposedException or SocketException)
            {
            }
        }

        /// <summary>A server of WebSocket that says back what it hears, and ends when it is told to.</summary>
        private static async Task ConverseAsync(NetworkStream stream, string asked)
        {
            var key = asked.Split("\r\n").Single(static line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(' ')[1];
#pragma warning disable CA5350 // RFC 6455 section 4.2.2 names SHA-1.
            var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: talk\r\nX-Asked: {asked.Split("\r\n")[0]}\r\n\r\n"));
            using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, SubProtocol = "talk" });
            var buffer = new byte[100_000];
            while (socket.State == WebSocketState.Open)
            {
                var heard = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (heard.MessageType == WebSocketMessageType.Close || Encoding.UTF8.GetString(buffer, 0, heard.Count) == "end")
                    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "as told", CancellationToken.None);
                else
                    await socket.SendAsync(buffer.AsMemory(0, heard.Count), heard.MessageType, heard.EndOfMessage, CancellationToken.None);
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
        foreach (var node in new[] { "n", "m" })
        {
            await server.CreateAsync("/api/v1/nodes", "{\"metadata\":{\"name\":\"" + node + "\"}}");
            await server.SendAsync("PATCH", $"/api/v1/nodes/{node}/status", """{"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}]}}""", "application/merge-patch+json");
        }

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

    [Theory]
    [InlineData("namespaces/default/pods/p:PORT", "end")]
    [InlineData("namespaces/default/services/s:web", "")]
    [InlineData("nodes/n:PORT", "")]
    public async Task A_WebSocket_goes_both_ways_until_one_side_ends(string to, string lastWord)
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("talk");
        socket.Options.CollectHttpResponseDetails = true;
        using var network = new HttpMessageInvoker(new SocketsHttpHandler { ConnectCallback = (_, _) => new ValueTask<Stream>(server.Api.Connect()) });
        await socket.ConnectAsync(new Uri($"ws://api/api/v1/{to.Replace("PORT", $"{echo.Port}", StringComparison.Ordinal)}/proxy/socket?x=1"), network, Cancel);
        Assert.Equal("talk", socket.SubProtocol);
        Assert.Equal("GET /socket?x=1 HTTP/1.1", Assert.Single(socket.HttpResponseHeaders!["X-Asked"]));
        var buffer = new byte[200_000];
        foreach (var length in new[] { 1, 70_000 })
        {
            var said = new byte[length];
            new Random(length).NextBytes(said);
            await socket.SendAsync(said, WebSocketMessageType.Binary, endOfMessage: true, Cancel);
            var heard = 0;
            for (var whole = false; !whole;)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(heard), Cancel);
                (heard, whole) = (heard + part.Count, part.EndOfMessage);
            }

            Assert.Equal(said, buffer[..heard]);
        }

        if (lastWord.Length > 0)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(lastWord), WebSocketMessageType.Text, endOfMessage: true, Cancel);
            Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveAsync(buffer.AsMemory(), Cancel)).MessageType);
            Assert.Equal("as told", socket.CloseStatusDescription);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Cancel);
        Assert.Equal(WebSocketState.Closed, socket.State);
    }

    [Fact]
    public async Task A_pod_that_does_not_change_its_protocol_answers_as_it_does()
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Default}/pods/p/proxy/plain");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "tea/1");
        using var answer = await server.Client.SendAsync(request, Cancel);
        Assert.Equal(418, (int)answer.StatusCode);
        Assert.Contains("\r\nUpgrade: tea/1\r\n", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_tells_what_it_has_to_tell_to_those_who_may_ask()
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        Assert.Equal("ok", (string?)(await server.SendAsync("GET", "/api/v1/nodes/n/proxy/healthz")).Body);
        Assert.Equal("ok", (string?)(await server.SendAsync("GET", "/api/v1/nodes/https:n:10250/proxy/healthz")).Body);
        var pods = (await server.SendAsync("GET", "/api/v1/nodes/n/proxy/pods")).Body;
        Assert.Equal(("PodList", 1, "p"), ((string)pods["kind"]!, pods["items"]!.AsArray().Count, (string)pods["items"]![0]!["metadata"]!["name"]!));
        Assert.StartsWith("GET /x HTTP/1.1", (string?)(await server.SendAsync("GET", $"/api/v1/nodes/n:{echo.Port}/proxy/x")).Body, StringComparison.Ordinal);
        foreach (var (path, code, why) in ((string, int, string)[])
            [
                ("n/proxy/metrics", 404, "node \"n\" is no machine with a kubelet: it tells healthz and pods, and has no \"metrics\""), ("n/proxy/stats/summary", 404, "node \"n\" is no"),
                ("none/proxy/healthz", 404, "nodes \"none\" not found"), ("m/proxy/healthz", 503, "error trying to reach service: nobody runs node \"m\""), ("n:x/proxy/", 400, "invalid node request \"n:x\""),
            ])
        {
            var (status, answer) = await server.SendAsync("GET", "/api/v1/nodes/" + path);
            Assert.Equal(code, (int)status);
            Assert.StartsWith(why, (string)answer["message"]!, StringComparison.Ordinal);
        }

        Assert.Equal(405, (int)(await server.SendAsync("POST", "/api/v1/nodes/n/proxy/pods", "{}")).Code);
        Assert.Equal("nodes \"n\" is forbidden: User \"eve\" cannot get resource \"nodes/proxy\" in API group \"\" at the cluster scope", await AsEveAsync());
        await server.CreateAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles", """{"metadata":{"name":"looker"},"rules":[{"apiGroups":[""],"resources":["nodes/proxy"],"verbs":["get"]}]}""");
        await server.CreateAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", """{"metadata":{"name":"eve"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"looker"},"subjects":[{"kind":"User","name":"eve"}]}""");
        Assert.Equal("ok", await AsEveAsync());

        async Task<string> AsEveAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/nodes/n/proxy/healthz");
            request.Headers.Add("Impersonate-User", "eve");
            using var answer = await server.Client.SendAsync(request, Cancel);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            return text.StartsWith('{') ? (string)JsonNode.Parse(text)!["message"]! : text;
        }
    }

    /// <summary>Who may write a Node's status may not thereby reach what only the machine itself can, nor another one.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("192.0.2.7")]
    public async Task A_node_is_reached_at_its_own_address_only(string address)
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        await server.SendAsync("PATCH", "/api/v1/nodes/n/status", "{\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"" + address + "\"}]}}", "application/merge-patch+json");
        var (code, answer) = await server.SendAsync("GET", $"/api/v1/nodes/n:{echo.Port}/proxy/x");
        Assert.Equal((400, "address not allowed"), ((int)code, (string)answer["message"]!));
    }

    [Fact]
    public async Task What_is_said_to_the_server_alone_is_not_passed_on()
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        var asked = await server.SayAsync($"GET {Default}/pods/p/proxy/plain HTTP/1.1",
            "Connection: X-Mine, keep-alive, x-other", "X-Mine: 1", "X-Other: 2", "X-Passed: 3", "Impersonate-User: me", "Impersonate-Group: system:masters", "Impersonate-Extra-Why: 4");
        Assert.Contains("\r\nX-Passed: 3\r\n", asked, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: http\r\n", asked, StringComparison.Ordinal);
        foreach (var name in (string[])["X-Mine", "X-Other", "Impersonate-", "Authorization"])
            Assert.DoesNotContain("\n" + name, asked, StringComparison.OrdinalIgnoreCase);
        using var client = ServerTests.TlsClient(server.Api, server.Api.Token);
        using var answer = await client.GetAsync($"{Default}/pods/p/proxy/plain", Cancel);
        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    /// <summary>The server has one word left of `keep-alive, X-Mine` when it begins to answer, if nothing is done.</summary>
    [Theory]
    [InlineData(2, "keep-alive, X-Mine")]
    [InlineData(2, "x-mine,Keep-Alive")]
    [InlineData(2, "keep-alive", "X-Mine")]
    [InlineData(2, "X-Mine")]
    [InlineData(1, "X-MINE, close")]
    [InlineData(1, "Close", "X-Mine")]
    [InlineData(1, "keep-alive, close, X-Mine")]
    [InlineData(2, "Upgrade, X-Mine")]
    [InlineData(2, "X-Mine", "keep-alive, Upgrade")]
    public async Task What_Connection_names_ends_with_it_beside_whatever_it_stands(int answers, params string[] connection)
    {
        using var echo = new Echo();
        await using var server = await WithPodAsync(echo.Port);
        foreach (var to in (string[])["namespaces/default/pods/p", "namespaces/default/services/s:web", $"nodes/n:{echo.Port}"])
        {
            var said = await server.SayAsync([
                $"GET /api/v1/{to}/proxy/plain HTTP/1.1", "Host: api", .. connection.Select(static options => "connection: " + options), "Upgrade: tea/1", "X-Mine: 1", "X-Passed: 3", "", "GET /readyz HTTP/1.1"]);
            Assert.Contains("\r\nX-Passed: 3\r\n", said, StringComparison.Ordinal);
            Assert.DoesNotContain("X-Mine", said, StringComparison.OrdinalIgnoreCase);
            Assert.Equal((answers, connection.Any(static options => options.Contains("Upgrade", StringComparison.Ordinal))),
                (said.Split("HTTP/1.1 ").Length - 1, said.Contains("\r\nUpgrade: tea/1\r\n", StringComparison.Ordinal)));
        }
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
