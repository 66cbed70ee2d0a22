using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Storage;

/// <summary>A server whose store is replaced by an older copy: what clients are told that have seen more than there is now.</summary>
public sealed class RestoreTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Services = "/api/v1/namespaces/default/services";
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Lamps = "/apis/example.org/v1/lamps";

    private const string Definition =
        """
        {"metadata":{"name":"lamps.example.org"},"spec":{"group":"example.org","scope":"Cluster","names":{"plural":"lamps","singular":"lamp","kind":"Lamp","listKind":"LampList"},
        "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_is_as_it_was_the_version_too_and_numbers_of_versions_come_again()
    {
        await using var server = await TestServer.StartAsync();
        await MapAsync(server, "before");
        await MapAsync(server, "deleted");
        var copy = Saved(server);
        await MapAsync(server, "after");
        await server.SendAsync("DELETE", Maps + "/deleted");
        await RestoreAsync(server, copy);

        Assert.Equal(copy.ResourceVersion, server.Api.Store.ResourceVersion);
        var (_, list) = await server.SendAsync("GET", Maps);
        Assert.Equal(copy.ResourceVersion.ToString(), (string)list["metadata"]!["resourceVersion"]!);
        Assert.Equal(["before", "deleted"], list["items"]!.AsArray().Select(static item => (string)item!["metadata"]!["name"]!).Where(static name => !name.StartsWith("kube-", StringComparison.Ordinal)));
        var next = await MapAsync(server, "next");
        Assert.Equal(copy.ResourceVersion + 1, next);
    }

    [Fact]
    public async Task A_watch_ends_one_from_before_is_expired_and_one_from_the_future_hears_nothing_until_the_future_has_come()
    {
        await using var server = await TestServer.StartAsync();
        var old = await MapAsync(server, "a");
        var copy = Saved(server);
        await MapAsync(server, "b");
        var future = await MapAsync(server, "c");
        using var watch = await server.RawAsync("GET", $"{Maps}?watch=1&resourceVersion={future}");
        await RestoreAsync(server, copy);
        Assert.Equal("", await watch.Content.ReadAsStringAsync(Cancel));

        var (code, refused) = await server.SendAsync("GET", $"{Maps}?resourceVersion={future}");
        Assert.Equal((HttpStatusCode.GatewayTimeout, $"Timeout: Too large resource version: {future}, current: {copy.ResourceVersion}"), (code, (string)refused["message"]!));
        (code, refused) = await server.SendAsync("GET", $"{Maps}?resourceVersion={future}&resourceVersionMatch=Exact");
        Assert.Equal((HttpStatusCode.GatewayTimeout, "Timeout"), (code, (string)refused["reason"]!));
        using (var expired = await server.RawAsync("GET", $"{Maps}?watch=1&timeoutSeconds=1&resourceVersion={old - 1}"))
            Assert.Contains("too old resource version", await expired.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        using var ahead = await server.RawAsync("GET", $"{Maps}?watch=1&resourceVersion={future}");
        using var now = await server.RawAsync("GET", $"{Maps}?watch=1&resourceVersion={copy.ResourceVersion}");
        long version;
        for (var i = 0; (version = await MapAsync(server, $"new-{i}")) <= future; i++)
        {
        }

        using var lines = new StreamReader(await now.Content.ReadAsStreamAsync(Cancel));
        Assert.Equal(copy.ResourceVersion + 1, VersionOf(await lines.ReadLineAsync(Cancel)));
        using var late = new StreamReader(await ahead.Content.ReadAsStreamAsync(Cancel));
        Assert.Equal(future + 1, VersionOf(await late.ReadLineAsync(Cancel)));
        Assert.Equal(future + 1, version);
    }

    [Fact]
    public async Task Addresses_and_ports_of_Services_are_taken_and_free_as_the_copy_says()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Services, Service("kept", "10.96.0.50", 30050));
        var copy = Saved(server);
        await server.SendAsync("DELETE", Services + "/kept");
        await server.CreateAsync(Services, Service("later", "10.96.0.60", 30060));
        await RestoreAsync(server, copy);

        foreach (var (ip, port) in ((string, int)[])[("10.96.0.50", 30070), ("10.96.0.70", 30050)])
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await server.SendAsync("POST", Services, Service("thief", ip, port))).Code);
        await server.CreateAsync(Services, Service("heir", "10.96.0.60", 30060));
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", "/apis/networking.k8s.io/v1/ipaddresses/10.96.0.50")).Code);
    }

    [Fact]
    public async Task What_definitions_in_the_copy_define_is_served_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync();
        var without = Saved(server);
        await server.CreateAsync(Definitions, Definition);
        await server.CreateAsync(Lamps, """{"apiVersion":"example.org/v1","kind":"Lamp","metadata":{"name":"desk"}}""");
        var with = Saved(server);
        await server.SendAsync("DELETE", Definitions + "/lamps.example.org");
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", Lamps)).Code);

        await RestoreAsync(server, with);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", Lamps + "/desk")).Code);
        await RestoreAsync(server, without);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", Lamps)).Code);
    }

    [Fact]
    public async Task Nobody_writes_meanwhile_and_whoever_tries_is_asked_to_try_again()
    {
        await using var server = await TestServer.StartAsync();
        var copy = Saved(server);
        await server.Api.RestoreAsync(
            copy,
            async () =>
            {
                using var refused = await server.RawAsync("POST", Maps, """{"metadata":{"name":"m"}}""");
                Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(1)), (refused.StatusCode, refused.Headers.RetryAfter?.Delta));
                Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", Maps)).Code);
                using var ahead = await server.RawAsync("GET", $"{Maps}?watch=1&resourceVersion=99999");
                Assert.Equal(HttpStatusCode.GatewayTimeout, ahead.StatusCode);
            },
            Cancel,
            Cancel);
        await MapAsync(server, "m");
    }

    [Fact]
    public async Task A_copy_cut_off_at_any_place_is_refused_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        await MapAsync(server, "m");
        var whole = Saved(server).ToUtf8();
        for (var length = 0; length < whole.Length; length += 997)
            Assert.Contains("cut off", Assert.Throws<StoreCopyException>(() => StoreCopy.Read(whole.AsMemory(0, length))).Message, StringComparison.Ordinal);
        Assert.Contains("cut off", Assert.Throws<StoreCopyException>(() => StoreCopy.Read(whole.AsMemory(0, whole.Length - 1))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "no copy of a store")]
    [InlineData("""{"kind":"Pod"}""", "no copy of a store")]
    [InlineData("""{"kind":"PlumbStoreCopy","format":2}""", "another version of plumb")]
    [InlineData("""{"kind":"PlumbStoreCopy","format":1,"resourceVersion":"x"}""", "as `plumb store save` writes it")]
    [InlineData("""{"kind":"PlumbStoreCopy","format":1,"resourceVersion":5,"collections":[{"group":"","resource":"pods","objects":[{"metadata":{"name":"a","uid":"u","resourceVersion":"6"}}]}]}""", "a resourceVersion from 1 to 5")]
    [InlineData("""{"kind":"PlumbStoreCopy","format":1,"resourceVersion":5,"collections":[{"group":"","resource":"pods","objects":[7]}]}""", "as `plumb store save` writes it")]
    public void What_is_no_copy_is_refused_in_one_line(string text, string why)
    {
        var refused = Assert.Throws<StoreCopyException>(() => StoreCopy.Read(Encoding.UTF8.GetBytes(text)));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task Another_clusters_copy_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var copy = Saved(server);
        var uid = copy.Cluster;
        var foreign = StoreCopy.Read(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(copy.ToUtf8()).Replace(uid, "another", StringComparison.Ordinal)));
        var version = server.Api.Store.ResourceVersion;
        Assert.Contains("another cluster", (await Assert.ThrowsAsync<StoreCopyException>(() => RestoreAsync(server, foreign))).Message, StringComparison.Ordinal);
        Assert.Equal(version, server.Api.Store.ResourceVersion);
        await MapAsync(server, "m");
    }

    [Fact]
    public async Task A_copy_that_a_person_has_laid_out_is_served_in_one_line()
    {
        await using var server = await TestServer.StartAsync();
        await MapAsync(server, "m");
        var indented = JsonNode.Parse(Saved(server).ToUtf8())!.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true });
        await RestoreAsync(server, StoreCopy.Read(Encoding.UTF8.GetBytes(indented)));
        using var watch = await server.RawAsync("GET", Maps + "?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dm");
        var line = Assert.Single((await watch.Content.ReadAsStringAsync(Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("m", (string)JsonNode.Parse(line)!["object"]!["metadata"]!["name"]!);
    }

    /// <summary>By way of a file.</summary>
    private static StoreCopy Saved(TestServer server) => StoreCopy.Read(server.Api.Store.Copy().ToUtf8());

    private static Task RestoreAsync(TestServer server, StoreCopy copy) => server.Api.RestoreAsync(copy, static () => Task.CompletedTask, Cancel, Cancel);

    private static async Task<long> MapAsync(TestServer server, string name) =>
        long.Parse((string)(await server.CreateAsync(Maps, $$$"""{"metadata":{"name":"{{{name}}}"}}"""))["metadata"]!["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);

    private static long VersionOf(string? line) =>
        long.Parse((string)JsonNode.Parse(line!)!["object"]!["metadata"]!["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);

    private static string Service(string name, string address, int port) =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"type":"NodePort","clusterIP":"{{{address}}}","ports":[{"port":80,"nodePort":{{{port}}}}]}}""";
}
