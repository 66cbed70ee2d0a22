using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Kubernetes.Tests.Clients;

public sealed class KubernetesClientTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_object_is_read_and_the_token_is_shown()
    {
        string? authorization = null;
        await using var server = new FakeServer(exchange =>
        {
            authorization = exchange.Headers["Authorization"];
            return exchange.AnswerAsync(200, """{"kind":"Pod","metadata":{"name":"a"}}""");
        });
        using var client = new KubernetesClient(new() { Server = server.Address, Token = "t0" }, TimeProvider.System);
        Assert.Equal("a", (await client.GetAsync<Pod>("default", "a", Cancel)).Metadata.Name);
        Assert.Equal("Bearer t0", authorization);
    }

    [Fact]
    public async Task A_refusal_carries_the_server_s_status()
    {
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(
            409, """{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"a\" already exists","reason":"AlreadyExists","details":{"name":"a","kind":"pods"},"code":409}"""));
        using var client = Client(server);
        var refused = await Assert.ThrowsAsync<ApiException>(() => client.CreateAsync("default", new Pod { Metadata = new() { Name = "a" } }, Cancel));
        Assert.Equal("pods \"a\" already exists", refused.Message);
        Assert.Equal((409, true, false), (refused.Code, refused.IsAlreadyExists, refused.IsConflict));
        Assert.Equal("a", refused.Status.Details?.Name);
    }

    [Fact]
    public async Task A_refusal_in_plain_text_is_told_as_it_came()
    {
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(503, "no backend\n", "text/plain"));
        using var client = Client(server);
        var refused = await Assert.ThrowsAsync<ApiException>(() => client.GetAsync<Pod>("default", "a", Cancel));
        Assert.Equal((503, "no backend"), (refused.Code, refused.Message));
    }

    [Fact]
    public async Task What_is_not_there_is_null_or_false()
    {
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(404, """{"kind":"Status","code":404,"reason":"NotFound"}"""));
        using var client = Client(server);
        Assert.Null(await client.FindAsync<Pod>("default", "a", Cancel));
        Assert.False(await client.DeleteAsync<Pod>("default", "a", cancel: Cancel));
    }

    [Fact]
    public async Task Pages_are_joined_and_selectors_go_along()
    {
        var targets = new List<string>();
        await using var server = new FakeServer(exchange =>
        {
            targets.Add(exchange.Target);
            int page = exchange.Query("continue") is { } token ? int.Parse(token, System.Globalization.CultureInfo.InvariantCulture) : 0;
            string next = page < 2 ? (page + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) : "";
            return exchange.AnswerAsync(200, $$$"""{"kind":"PodList","metadata":{"resourceVersion":"9","continue":"{{{next}}}"},"items":[{"metadata":{"name":"p{{{page}}}"}}]}""");
        });
        using var client = Client(server);
        var options = new ListOptions { Namespace = "n", Labels = Selector.Parse("a=b"), Fields = FieldSelector.Equal("spec.nodeName", "x"), PageSize = 1 };
        var list = await client.ListAsync<Pod>(options, Cancel);
        Assert.Equal(["p0", "p1", "p2"], list.Items.Select(p => p.Metadata.Name));
        Assert.Equal("9", list.Metadata.ResourceVersion);
        Assert.Equal("/api/v1/namespaces/n/pods?labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dx&limit=1", targets[0]);
        Assert.EndsWith("&limit=1&continue=2", targets[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_patch_says_its_format()
    {
        FakeExchange? seen = null;
        await using var server = new FakeServer(exchange =>
        {
            seen = exchange;
            return exchange.AnswerAsync(200, """{"metadata":{"name":"a"}}""");
        });
        using var client = Client(server);
        await client.PatchAsync<Pod>("default", "a", new StrategicMergePatch(new JsonObject { ["status"] = new JsonObject { ["phase"] = "Running" } }), "status", Cancel);
        Assert.Equal(("PATCH", "/api/v1/namespaces/default/pods/a/status", "application/strategic-merge-patch+json", """{"status":{"phase":"Running"}}"""),
            (seen!.Method, seen.Target, seen.Headers["Content-Type"], seen.Body));
    }

    [Fact]
    public async Task A_deletion_says_its_grace_and_what_becomes_of_dependents()
    {
        string? body = null;
        await using var server = new FakeServer(exchange =>
        {
            body = exchange.Body;
            return exchange.AnswerAsync(200, "{}");
        });
        using var client = Client(server);
        Assert.True(await client.DeleteAsync<Pod>("default", "a", new() { GracePeriodSeconds = 0, Propagation = DeletePropagation.Orphan, Uid = "u" }, Cancel));
        Assert.Equal("""{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"propagationPolicy":"Orphan","preconditions":{"uid":"u"}}""", body);
    }

    [Fact]
    public async Task A_watch_gives_each_event_as_it_comes_however_it_is_cut()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.SendAsync("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}}\n{\"type\":\"MOD");
            await goOn.Task;
            await exchange.SendAsync("IFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"7\"}}}\n\n");
            await exchange.SendAsync("{\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}},\"type\":\"BOOKMARK\"}\n{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n");
            await exchange.EndAsync();
        });
        using var client = Client(server);
        var seen = new List<string>();
        await foreach (var change in client.WatchAsync<Pod>(ListOptions.All, "5", TimeSpan.FromMinutes(1), cancel: Cancel))
        {
            seen.Add($"{change.Kind} {change.Object.Metadata.Name} {change.Object.Metadata.ResourceVersion}");
            goOn.TrySetResult();
        }
        Assert.Equal(["Added a ", "Modified a 7", "Bookmark  9", "Deleted a "], seen);
    }

    [Theory]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\"")]
    [InlineData("{\"type\":\"STRANGE\",\"object\":{}}\n")]
    [InlineData("nonsense\n")]
    [InlineData("{\"type\":\"ADDED\"}\n")]
    public async Task A_broken_watch_is_an_IO_error(string text)
    {
        await using var server = new FakeServer(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.SendAsync(text);
            await exchange.EndAsync();
        });
        using var client = Client(server);
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            await foreach (var _ in client.WatchAsync<Pod>(ListOptions.All, "5", TimeSpan.FromMinutes(1), cancel: Cancel))
            {
            }
        });
    }

    [Fact]
    public async Task An_error_event_is_a_refusal()
    {
        await using var server = new FakeServer(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.SendAsync("""{"type":"ERROR","object":{"kind":"Status","message":"too old resource version: 1 (5)","reason":"Expired","code":410}}""" + "\n");
            await exchange.EndAsync();
        });
        using var client = Client(server);
        var refused = await Assert.ThrowsAsync<ApiException>(async () =>
        {
            await foreach (var _ in client.WatchAsync<Pod>(ListOptions.All, "1", TimeSpan.FromMinutes(1), cancel: Cancel))
            {
            }
        });
        Assert.True(refused.IsGone);
    }

    [Fact]
    public async Task The_stream_to_the_server_can_be_any_other()
    {
        await using var server = new FakeServer(exchange => exchange.AnswerAsync(200, """{"metadata":{"name":"n"}}"""));
        int opened = 0;
        var connection = new ClusterConnection
        {
            Server = new Uri("http://lab.invalid"),
            Connect = async cancel =>
            {
                opened++;
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(server.Address.Host, server.Address.Port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new KubernetesClient(connection, TimeProvider.System);
        Assert.Equal("n", (await client.GetAsync<Node>(null, "n", Cancel)).Metadata.Name);
        Assert.Equal(1, opened);
    }

    [Fact]
    public async Task A_token_file_is_read_again_after_the_server_refused_it()
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "old\n", Cancel);
            await using var server = new FakeServer(exchange => exchange.Headers["Authorization"] == "Bearer new"
                ? exchange.AnswerAsync(200, """{"metadata":{"name":"a"}}""")
                : exchange.AnswerAsync(401, """{"kind":"Status","code":401,"reason":"Unauthorized"}"""));
            using var client = new KubernetesClient(new() { Server = server.Address, TokenFile = file }, TimeProvider.System);
            Assert.True((await Assert.ThrowsAsync<ApiException>(() => client.GetAsync<Pod>("d", "a", Cancel))).IsUnauthorized);
            await File.WriteAllTextAsync(file, "new\n", Cancel);
            Assert.Equal("a", (await client.GetAsync<Pod>("d", "a", Cancel)).Metadata.Name);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static KubernetesClient Client(FakeServer server) => new(new() { Server = server.Address }, TimeProvider.System);
}
