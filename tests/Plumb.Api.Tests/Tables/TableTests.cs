using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Tables;

public sealed class TableTests
{
    private const string Accept = "application/json;as=Table;v=v1;g=meta.k8s.io";

    [Theory]
    [InlineData("pending", """{"phase":"Pending"}""", "0/1 Pending 0")]
    [InlineData("creating", """{"phase":"Pending","containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{"waiting":{"reason":"ContainerCreating"}}}]}""", "0/1 ContainerCreating 0")]
    [InlineData("running", """{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"c","ready":true,"restartCount":0,"state":{"running":{}}}]}""", "1/1 Running 0")]
    [InlineData("not ready", """{"phase":"Running","containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{"running":{}}}]}""", "0/1 Running 0")]
    [InlineData("crash loop", """{"phase":"Running","containerStatuses":[{"name":"c","ready":false,"restartCount":7,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}""", "0/1 CrashLoopBackOff 7")]
    [InlineData("completed", """{"phase":"Succeeded","containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]}""", "0/1 Completed 0")]
    [InlineData("exit code without a reason", """{"phase":"Failed","containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":3}}}]}""", "0/1 ExitCode:3 0")]
    [InlineData("signal without a reason", """{"phase":"Failed","containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":137,"signal":9}}}]}""", "0/1 Signal:9 0")]
    [InlineData("evicted", """{"phase":"Failed","reason":"Evicted"}""", "0/1 Evicted 0")]
    [InlineData("init error", """{"phase":"Pending","initContainerStatuses":[{"name":"i","restartCount":0,"state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}""", "0/1 Init:Error 0")]
    [InlineData("init under way", """{"phase":"Pending","initContainerStatuses":[{"name":"i","restartCount":0,"state":{"running":{}}}]}""", "0/1 Init:0/1 0")]
    public async Task A_pod_s_row_tells_in_one_word_what_its_containers_are_at(string state, string status, string row)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync("/api/v1/namespaces/default/pods",
            """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}],"initContainers":[{"name":"i","image":"i"}]}}""");
        server.Api.Registry.Update(new StoreKey(GroupResource.Pods, "default", "p"), root =>
        {
            root["status"] = JsonNode.Parse(status);
            return true;
        }, Plumb.Api.Resources.Part.Status);
        var (_, table) = await server.SendAsync("GET", "/api/v1/namespaces/default/pods", accept: Accept);
        var cells = table["rows"]![0]!["cells"]!.AsArray();
        Assert.True(row == $"{cells[1]} {cells[2]} {cells[3]}", $"{state}: {cells.ToJsonString()}");
    }

    [Fact]
    public async Task Tables_have_the_columns_of_a_real_server()
    {
        var lines = Fixtures.Read("tables.jsonl");
        await using var server = await TestServer.StartAsync();
        var compared = 0;
        foreach (var line in lines)
        {
            var path = ((string)line["path"]!).Split('?')[0];
            if (line["columnDefinitions"] is not JsonArray expected || !((string)line["name"]!).EndsWith("-list", StringComparison.Ordinal))
                continue;
            var (code, table) = await server.SendAsync("GET", path, accept: Accept);
            if ((int)code != 200)
                continue;
            compared++;
            Assert.Equal(Columns(expected), Columns(table["columnDefinitions"]!.AsArray()));
        }

        Assert.True(compared >= 20, $"only {compared} kinds were compared");
    }

    private static string Columns(JsonArray columns) => string.Join(' ', columns.Select(static column => $"{column!["name"]}:{column["type"]}:{column["format"]}:{column["priority"]}"));
}
