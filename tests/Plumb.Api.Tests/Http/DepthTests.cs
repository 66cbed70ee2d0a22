using System.Net;

namespace Plumb.Api.Tests.Http;

/// <summary>Objects of which nothing is known but that they are deep: what can be read can be written, watched, patched and taken away; what cannot is refused, and nothing ends by it.</summary>
public sealed class DepthTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Cups = "/apis/home.example.com/v1/namespaces/default/cups";

    private static async Task<TestServer> StartAsync()
    {
        var server = await TestServer.StartAsync();
        await server.CreateAsync(Definitions, """
            {"metadata":{"name":"cups.home.example.com"},"spec":{"group":"home.example.com","scope":"Namespaced","names":{"plural":"cups","kind":"Cup"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true} } }]}}
            """);
        return server;
    }

    private static string Deep(int levels) => string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels);

    private static string Cup(string name, string x) => $$"""{"apiVersion":"home.example.com/v1","kind":"Cup","metadata":{"name":"{{name}}"},"x":{{x}}}""";

    private static async Task<string> OkAsync(TestServer server, string method, string path, string? body = null, string type = "application/json")
    {
        using var answer = await server.RawAsync(method, path, body, type);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {text[..Math.Min(500, text.Length)]}");
        return text;
    }

    [Fact]
    public async Task As_deep_as_can_be_read_an_object_lives_as_others_do()
    {
        await using var server = await StartAsync();
        var deep = Deep(199);
        Assert.Contains(deep, await OkAsync(server, "POST", Cups, Cup("c", deep)), StringComparison.Ordinal);
        Assert.Contains(deep, await OkAsync(server, "GET", Cups + "/c"), StringComparison.Ordinal);
        Assert.Contains(deep, await OkAsync(server, "GET", Cups), StringComparison.Ordinal);
        await OkAsync(server, "PUT", Cups + "/c", Cup("c", deep));
        var other = deep.Replace("1}", "2}", StringComparison.Ordinal);
        Assert.Contains(other, await OkAsync(server, "PATCH", Cups + "/c", $$"""{"x":{{other}}}""", "application/merge-patch+json"), StringComparison.Ordinal);
        Assert.Contains(deep, await OkAsync(server, "PATCH", Cups + "/applied?fieldManager=m", Cup("applied", deep), "application/apply-patch+yaml"), StringComparison.Ordinal);
        Assert.Contains(other, await OkAsync(server, "PATCH", Cups + "/applied?fieldManager=m", Cup("applied", other), "application/apply-patch+yaml"), StringComparison.Ordinal);
        using (var watch = await server.RawAsync("GET", Cups + "?watch=1&timeoutSeconds=1"))
            Assert.Contains(other, await watch.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await OkAsync(server, "GET", Cups + "?fieldSelector=metadata.name=c");
        await OkAsync(server, "DELETE", Cups + "/c");
        await OkAsync(server, "DELETE", Cups);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(9_999)]
    [InlineData(10_001)]
    public async Task What_is_deeper_is_refused_and_the_server_goes_on(int levels)
    {
        await using var server = await StartAsync();
        await OkAsync(server, "POST", Cups, Cup("c", "1"));
        foreach (var (method, path, type) in ((string, string, string)[])
        [
            ("POST", Cups, "application/json"), ("PUT", Cups + "/c", "application/json"), ("PATCH", Cups + "/c", "application/merge-patch+json"),
            ("PATCH", Cups + "/c?fieldManager=m", "application/apply-patch+yaml"), ("DELETE", Cups + "/c", "application/json"), ("POST", Definitions, "application/json"),
        ])
        {
            var (code, answer) = await server.SendAsync(method, path, Cup("c", Deep(levels)), type);
            Assert.True(code == HttpStatusCode.BadRequest, $"{method} {path}: {code}");
            Assert.Contains("exceeded max depth", (string)answer["message"]!, StringComparison.Ordinal);
            Assert.Equal("Failure", (string?)answer["status"]);
        }

        Assert.Contains("\"x\":1", await OkAsync(server, "GET", Cups + "/c"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patches_make_nothing_deeper_than_can_be_read()
    {
        await using var server = await StartAsync();
        var deep = Deep(150);
        await OkAsync(server, "POST", Cups, Cup("c", deep));
        var path = "/x" + string.Concat(Enumerable.Repeat("/a", 150));
        var (code, answer) = await server.SendAsync("PATCH", Cups + "/c", $$$"""[{"op":"replace","path":"{{{path}}}","value":{{{deep}}}}]""", "application/json-patch+json");
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains("exceeded max depth", (string)answer["message"]!, StringComparison.Ordinal);
        Assert.Contains(deep, await OkAsync(server, "GET", Cups + "/c"), StringComparison.Ordinal);
    }
}
