using Plumb.Agent.Asking;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Tests.Clients;

namespace Plumb.Agent.Tests.Running;

/// <summary>An API that answers what it should not: the node goes on by the nodes that it knows, says what is wrong, and follows the API when that is well again.</summary>
public sealed class ApiFaultTests : IDisposable
{
    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    public static TheoryData<int, string, string, string> Faults => new()
    {
        { 429, """{"kind":"Status","code":429,"message":"too many requests, please try again later"}""", "Retry-After: 1", "the API server: too many requests, please try again later; tried again" },
        { 503, "no healthy upstream", "X: x", "the API server: no healthy upstream; tried again" },
        { 502, "<html>\n<h1>Bad Gateway</h1></html>", "X: x", "answered 502 X with a page for people" },
        { 200, "<html>log in</html>", "X: x", "the API server's answer to GET /api/v1/nodes?limit=500 cannot be read" },
        { 200, """{"metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"node-2""", "X: x", "the API server's answer to GET /api/v1/nodes?limit=500 cannot be read" },
        { 200, "{}", "X: x", "the API server's answer to GET /api/v1/nodes is no list" },
        { 401, """{"kind":"Status","code":401,"message":"Unauthorized"}""", "X: x", "Unauthorized: the server does not take the token of the kubeconfig" },
        {
            403, """{"kind":"Status","code":403,"message":"nodes is forbidden: User \"a\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"}""", "X: x",
            "User \"a\" cannot list resource \"nodes\" in API group \"\" at the cluster scope; tried again"
        },
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task The_node_goes_on_says_what_is_wrong_and_follows_when_it_is_well(int code, string body, string header, string line)
    {
        var isWell = false;
        await using var server = new FakeServer(async exchange =>
        {
            if (!Volatile.Read(ref isWell))
            {
                await exchange.AnswerAsync(code, body, header: header);
            }
            else if (exchange.IsWatch)
            {
                await exchange.BeginAsync();
                await Task.Delay(Timeout.Infinite, exchange.Stopped);
            }
            else
            {
                await exchange.AnswerAsync(200, exchange.Path.EndsWith("/nodes", StringComparison.Ordinal) ? Nodes : """{"metadata":{"resourceVersion":"1"},"items":[]}""");
            }
        });
        using var api = new KubernetesClient(new() { Server = server.Address, Token = "secret" }, TimeProvider.System);
        await using var agent = await _node.StartAsync(change: options => options with { Api = api, ApiPatience = TimeSpan.FromMilliseconds(50) });

        await agent.Ready;
        Assert.Equal("10.244.1.2/32", await _node.AddAsync("meanwhile"));
        Assert.DoesNotContain("secret", await _node.Log.LineAsync(line), StringComparison.Ordinal);
        Assert.Contains(_node.Kernel.Dump(), static held => held.Contains("10.244.3.0/24", StringComparison.Ordinal));

        Volatile.Write(ref isWell, true);
        await _node.Log.LineAsync("the API server answers again");
        // Of the three that were known the API has two.
        while (_node.Kernel.Dump().Any(static held => held.Contains("10.244.3.0/24", StringComparison.Ordinal)))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Contains(_node.Kernel.Dump(), static held => held.Contains("10.244.2.0/24", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_asks_for_objects_of_an_API_that_is_silent_is_told_so()
    {
        await using var server = new FakeServer(static exchange => Task.Delay(Timeout.Infinite, exchange.Stopped));
        using var api = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System) { RequestTimeout = Timeout.InfiniteTimeSpan };
        await using var agent = await _node.StartAsync(change: options => options with { Api = api, ApiPatience = TimeSpan.FromMilliseconds(50) });

        var untold = await Assert.ThrowsAsync<AgentException>(() => Task.Run(() => new AgentClient(_node.Socket, "the agent").Objects("services", null, null)));
        Assert.Contains("the API server has not answered for", untold.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403, "services is forbidden")]
    [InlineData(503, "apiserver is shutting down")]
    public async Task What_the_API_refuses_to_list_is_not_told_as_none(int code, string message)
    {
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(code, $$"""{"kind":"Status","code":{{code}},"message":"{{message}}"}"""));
        using var api = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);
        await using var agent = await _node.StartAsync(change: options => options with { Api = api, ApiPatience = TimeSpan.FromMilliseconds(50) });

        var untold = await Assert.ThrowsAsync<AgentException>(() => Task.Run(() => new AgentClient(_node.Socket, "the agent").Objects("services", null, null)));
        Assert.Contains(message, untold.Message, StringComparison.Ordinal);
    }

    private static string Nodes => $$"""{"metadata":{"resourceVersion":"1"},"items":[{{Node(1)}},{{Node(2)}}]}""";

    private static string Node(int number) =>
        $$$"""
        {"metadata":{"name":"node-{{{number}}}","uid":"{{{number}}}","resourceVersion":"1"},"spec":{"podCIDR":"10.244.{{{number}}}.0/24","podCIDRs":["10.244.{{{number}}}.0/24"]},
         "status":{"addresses":[{"type":"InternalIP","address":"192.168.1.1{{{number}}}"}]}}
        """;
}
