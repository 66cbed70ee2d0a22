using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Http;

public sealed class WatchTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private static async Task<List<JsonNode>> ReadAsync(HttpResponseMessage response, int count)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        var events = new List<JsonNode>();
        while (events.Count < count && await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            events.Add(JsonNode.Parse(line)!);
        return events;
    }

    private static string Short(JsonNode change) => $"{change["type"]} {change["object"]!["metadata"]?["name"]}";

    [Fact]
    public async Task Without_a_version_a_watch_begins_with_what_is_there()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Maps, """{"metadata":{"name":"a"}}""");
        using var watch = await server.RawAsync("GET", $"{Maps}?watch=true");
        await server.CreateAsync(Maps, """{"metadata":{"name":"b"}}""");
        await server.SendAsync("DELETE", $"{Maps}/a");
        Assert.Equal(["ADDED a", "ADDED b", "DELETED a"], (await ReadAsync(watch, 3)).Select(Short));
    }

    [Fact]
    public async Task An_object_that_leaves_the_selector_is_deleted_as_it_last_matched_with_the_new_version()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Maps, """{"metadata":{"name":"c","labels":{"x":"1"}}}""");
        using var watch = await server.RawAsync("GET", $"{Maps}?watch=true&labelSelector=x%3D1");
        var (_, patched) = await server.SendAsync("PATCH", $"{Maps}/c", """{"metadata":{"labels":{"x":"2"}}}""", "application/merge-patch+json");
        var events = await ReadAsync(watch, 2);
        Assert.Equal(["ADDED c", "DELETED c"], events.Select(Short));
        Assert.Equal("1", (string)events[1]["object"]!["metadata"]!["labels"]!["x"]!);
        Assert.Equal((string)patched["metadata"]!["resourceVersion"]!, (string)events[1]["object"]!["metadata"]!["resourceVersion"]!);
    }

    [Fact]
    public async Task Initial_events_end_with_a_bookmark_that_says_so()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Maps, """{"metadata":{"name":"a"}}""");
        using var watch = await server.RawAsync("GET", $"{Maps}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
        var events = await ReadAsync(watch, 2);
        Assert.Equal(["ADDED", "BOOKMARK"], events.Select(static change => (string)change["type"]!));
        Assert.Equal("true", (string)events[1]["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!);
    }

    [Fact]
    public async Task A_version_from_before_the_history_is_answered_with_an_expired_event()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Maps, """{"metadata":{"name":"a"}}""");
        server.Api.Store.Compact();
        using var watch = await server.RawAsync("GET", $"{Maps}?watch=true&resourceVersion=1");
        var error = Assert.Single(await ReadAsync(watch, 5));
        Assert.True("ERROR" == (string?)error["type"], error.ToJsonString());
        Assert.Equal(410, (int)error["object"]!["code"]!);
        Assert.Equal("Expired", (string)error["object"]!["reason"]!);
    }

    [Fact]
    public async Task A_watch_for_tables_says_its_columns_once()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Maps, """{"metadata":{"name":"a"}}""");
        await server.CreateAsync(Maps, """{"metadata":{"name":"b"}}""");
        using var watch = await server.RawAsync("GET", $"{Maps}?watch=true", accept: "application/json;as=Table;v=v1;g=meta.k8s.io");
        var events = await ReadAsync(watch, 2);
        Assert.Equal(3, events[0]["object"]!["columnDefinitions"]!.AsArray().Count);
        Assert.Null(events[1]["object"]!["columnDefinitions"]);
        Assert.Equal("b", (string)events[1]["object"]!["rows"]![0]!["cells"]![0]!);
    }

    [Fact]
    public async Task Pages_of_a_list_show_one_version_whatever_is_written_between_them()
    {
        await using var server = await TestServer.StartAsync();
        foreach (var name in (string[])["a", "b", "c"])
            await server.CreateAsync(Maps, "{\"metadata\":{\"name\":\"" + name + "\"}}");
        var (_, first) = await server.SendAsync("GET", $"{Maps}?limit=2");
        Assert.Equal(1, (int)first["metadata"]!["remainingItemCount"]!);
        await server.CreateAsync(Maps, """{"metadata":{"name":"d"}}""");
        await server.SendAsync("DELETE", $"{Maps}/c");
        var (_, second) = await server.SendAsync("GET", $"{Maps}?limit=2&continue={first["metadata"]!["continue"]}");
        Assert.Equal("c", (string)Assert.Single(second["items"]!.AsArray())!["metadata"]!["name"]!);
        Assert.Equal((string)first["metadata"]!["resourceVersion"]!, (string)second["metadata"]!["resourceVersion"]!);
    }
}
