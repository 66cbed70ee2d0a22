using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Streaming;

namespace Plumb.Api.Tests;

/// <summary>A server of its own for each test, reached in memory.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly HttpClient _client;

    private TestServer(ApiServer server)
    {
        Api = server;
        _client = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, _) => new ValueTask<Stream>(server.Connect()) })
        {
            BaseAddress = new Uri("http://api"),
        };
    }

    public ApiServer Api { get; }

    public HttpClient Client => _client;

    public static async Task<TestServer> StartAsync(TimeProvider? time = null, IPodRuntime? runtime = null) =>
        new(await ApiServer.StartAsync(
            new ApiServerOptions { Random = new Random(1), Time = time ?? TimeProvider.System, Runtime = runtime, Advertised = new IPEndPoint(new IPAddress([192, 0, 2, 10]), 16443) },
            TestContext.Current.CancellationToken));

    public async Task<(HttpStatusCode Code, JsonNode Body)> SendAsync(string method, string path, string? body = null, string contentType = "application/json", string? accept = null)
    {
        using var response = await RawAsync(method, path, body, contentType, accept);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return (response.StatusCode, text.StartsWith('{') && !text.Contains("\n{", StringComparison.Ordinal) ? JsonNode.Parse(text)! : JsonValue.Create(text));
    }

    public async Task<HttpResponseMessage> RawAsync(string method, string path, string? body = null, string contentType = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (contentType.Length > 0)
                request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>What no client library sends as it is: the lines of a request's head; the answer with its head.</summary>
    public async Task<string> SayAsync(params string[] lines)
    {
        await using var connection = Api.Connect();
        await connection.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", [.. lines, "Host: api", "Connection: close", "", ""])), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(connection);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    public async Task<JsonNode> CreateAsync(string path, string body)
    {
        var (code, answer) = await SendAsync("POST", path, body);
        Assert.True(code == HttpStatusCode.Created, answer.ToJsonString());
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Api.DisposeAsync();
    }
}
