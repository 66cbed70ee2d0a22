using Plumb.Agent.Asking;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Tests.Clients;
using Plumb.Linux.Addresses;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.Http;

/// <summary>Who has an address is asked when something is wrong, which may be the API: what the node knows itself it says all the same.</summary>
public sealed class HolderTests : IDisposable
{
    private const string List = """{"metadata":{"resourceVersion":"1"},"items":[ITEM]}""";

    // The Service itself is still to come: its endpoints are known before.
    private const string Slice = """
        {"metadata":{"name":"db-1","namespace":"shop","uid":"1","resourceVersion":"1","labels":{"kubernetes.io/service-name":"db"}},"addressType":"IPv4","ports":[{"name":"","port":5432,"protocol":"TCP"}],
         "endpoints":[{"addresses":["172.30.0.9"],"nodeName":"node-3","conditions":{"ready":true},"targetRef":{"kind":"Pod","namespace":"shop","name":"db-0"}}]}
        """;

    private readonly TestNode _node = new();
    private volatile Func<FakeExchange, Task> _ofOne = static exchange => exchange.AnswerAsync(200, Full(Slice));

    public void Dispose() => _node.Dispose();

    public static TheoryData<int, string> Faults => new()
    {
        { 403, """{"kind":"Status","code":403,"message":"endpointslices is forbidden"}""" },
        { 401, """{"kind":"Status","code":401,"message":"Unauthorized"}""" },
        { 503, "no healthy upstream" },
        { 200, "<html>log in</html>" },
        { 200, """{"metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"db""" },
        { 200, List.Replace("ITEM", "", StringComparison.Ordinal) },
        { 0, "" }, // it is silent
        { -1, "" }, // it hangs up
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task The_node_is_told_while_the_API_does_not_tell_the_pod(int code, string body)
    {
        await using var server = new FakeServer(AnswerAsync);
        using var api = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);
        await using var agent = await _node.StartAsync(change: options => options with { Api = api, Cluster = NetworkOptions.Default with { Services = ServicesKind.Nftables } });
        await agent.Ready;
        await _node.AddAsync("a");
        while (await HolderAsync("172.30.0.9") != new AddressHolder("node-3", "shop/db-0"))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        _ofOne = exchange =>
        {
            if (code == -1)
            {
                exchange.Abort();
            }
            return code switch
            {
                0 => Task.Delay(Timeout.Infinite, exchange.Stopped),
                -1 => Task.CompletedTask,
                _ => exchange.AnswerAsync(code, body),
            };
        };
        Assert.Equal(new AddressHolder("node-3", null), await HolderAsync("172.30.0.9"));
        // Of these no API needs to be asked.
        Assert.Equal(new AddressHolder("node-1", "default/pod-a"), await HolderAsync("10.244.1.2"));
        Assert.Equal(new AddressHolder("node-2", null), await HolderAsync("192.168.1.12"));
        Assert.Equal(new AddressHolder(null, null), await HolderAsync("203.0.113.1"));
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, await _node.StatusOfAsync(HttpMethod.Get, "/holder?address=10.244.1"));
    }

    private Task<AddressHolder> HolderAsync(string address) => Task.Run(() => new AgentClient(_node.Socket, "the agent").HolderOf(IpAddress.Parse(address)));

    private async Task AnswerAsync(FakeExchange exchange)
    {
        if (exchange.Path.EndsWith("/namespaces/shop/endpointslices", StringComparison.Ordinal))
        {
            await _ofOne(exchange);
        }
        else if (exchange.IsWatch)
        {
            await exchange.BeginAsync();
            await Task.Delay(Timeout.Infinite, exchange.Stopped);
        }
        else
        {
            await exchange.AnswerAsync(200, Full(
                exchange.Path.EndsWith("/nodes", StringComparison.Ordinal) ? string.Join(',', Enumerable.Range(1, 3).Select(Node))
                : exchange.Path.EndsWith("/endpointslices", StringComparison.Ordinal) ? Slice : ""));
        }
    }

    private static string Full(string items) => List.Replace("ITEM", items, StringComparison.Ordinal);

    private static string Node(int number) =>
        $$$"""
        {"metadata":{"name":"node-{{{number}}}","uid":"{{{number}}}","resourceVersion":"1"},"spec":{"podCIDR":"10.244.{{{number}}}.0/24","podCIDRs":["10.244.{{{number}}}.0/24"]},
         "status":{"addresses":[{"type":"InternalIP","address":"192.168.1.1{{{number}}}"}]}}
        """;
}
