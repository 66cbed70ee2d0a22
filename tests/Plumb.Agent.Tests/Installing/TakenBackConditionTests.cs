using Plumb.Agent.Installing;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Tests.Clients;

namespace Plumb.Agent.Tests.Installing;

public sealed class TakenBackConditionTests
{
    [Theory]
    [InlineData("PlumbIsUp", true)]
    [InlineData("PlumbCannotServe", true)]
    [InlineData("NoRouteCreated", false)] // a cloud's
    [InlineData("CalicoIsUp", false)]
    public async Task Only_what_an_agent_wrote_is_taken_back(string reason, bool isOurs)
    {
        string? patched = null;
        await using var server = new FakeServer(async exchange =>
        {
            if (exchange.Method == "PATCH")
            {
                patched = $"{exchange.Path} {exchange.Body}";
            }
            var node = $$$"""{"metadata":{"name":"node-1","resourceVersion":"1"},"status":{"conditions":[{"type":"NetworkUnavailable","status":"False","reason":"{{{reason}}}"}]}}""";
            await exchange.AnswerAsync(200, exchange.Method == "PATCH" ? node : $$"""{"metadata":{"resourceVersion":"1"},"items":[{{node}}]}""");
        });
        using var api = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);

        var line = await NodeRemoval.TakeBackConditionAsync(api, "node-1", TestContext.Current.CancellationToken);

        Assert.Equal(isOurs ? "removed   condition NetworkUnavailable of Node node-1" : null, line);
        Assert.Equal(isOurs ? """/api/v1/nodes/node-1/status {"metadata":{"resourceVersion":"1"},"status":{"conditions":[{"type":"NetworkUnavailable","$patch":"delete"}]}}""" : null, patched);
    }

    [Fact]
    public async Task What_another_network_writes_meanwhile_stays()
    {
        var patches = 0;
        await using var server = new FakeServer(async exchange =>
        {
            if (exchange.Method == "PATCH")
            {
                patches++;
                await exchange.AnswerAsync(409, """{"kind":"Status","code":409,"reason":"Conflict","message":"the object has been modified"}""");
                return;
            }
            await exchange.AnswerAsync(200, $$$"""{"metadata":{"resourceVersion":"2"},"items":[{"metadata":{"name":"node-1","resourceVersion":"2"},"status":{"conditions":[{"type":"NetworkUnavailable","status":"False","reason":"{{{(patches == 0 ? "PlumbIsUp" : "CalicoIsUp")}}}"}]}}]}""");
        });
        using var api = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);

        Assert.Null(await NodeRemoval.TakeBackConditionAsync(api, "node-1", TestContext.Current.CancellationToken));
        Assert.Equal(1, patches);
    }

    [Fact]
    public async Task An_API_that_refuses_is_said_in_one_line()
    {
        await using var server = new FakeServer(static exchange => exchange.AnswerAsync(403, """{"kind":"Status","code":403,"message":"nodes is forbidden"}"""));
        using var api = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);

        var line = await NodeRemoval.TakeBackConditionAsync(api, "node-1", TestContext.Current.CancellationToken);

        Assert.StartsWith("stays     condition NetworkUnavailable of Node node-1, if there is one: ", line, StringComparison.Ordinal);
        Assert.Contains("nodes is forbidden", line, StringComparison.Ordinal);
    }
}
