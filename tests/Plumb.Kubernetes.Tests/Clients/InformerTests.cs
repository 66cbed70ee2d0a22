using System.Threading.Channels;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Tests.Clients;

public sealed class InformerTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_lists_then_follows()
    {
        await using var rig = new Rig();
        rig.Pods["a"] = 1;
        rig.Start();
        Assert.Equal("Added a -/1", await rig.NextAsync());
        await rig.Informer.Synced;
        var watch = await rig.WatchAsync();
        Assert.Equal("10", watch.Exchange.Query("resourceVersion"));
        watch.Lines.TryWrite(Rig.Line("ADDED", "b", 11));
        watch.Lines.TryWrite(Rig.Line("MODIFIED", "a", 12));
        watch.Lines.TryWrite(Rig.Line("DELETED", "b", 13));
        Assert.Equal(["Added b -/11", "Modified a 1/12", "Deleted b 13/-"], [await rig.NextAsync(), await rig.NextAsync(), await rig.NextAsync()]);
        Assert.Equal("12", rig.Informer.Find("default", "a")?.Metadata.ResourceVersion);
        Assert.Null(rig.Informer.Find("default", "b"));
    }

    [Fact]
    public async Task A_broken_connection_goes_on_where_it_broke()
    {
        await using var rig = new Rig();
        rig.Start();
        var watch = await rig.WatchAsync();
        watch.Lines.TryWrite(Rig.Line("ADDED", "b", 15));
        Assert.Equal("Added b -/15", await rig.NextAsync());
        rig.Version = 15;
        watch.Break();
        watch = await rig.WatchAsync();
        Assert.Equal("15", watch.Exchange.Query("resourceVersion"));
        watch.Lines.TryWrite(Rig.Line("BOOKMARK", "", 21));
        rig.Version = 21;
        watch.Lines.TryComplete();
        Assert.Equal("21", (await rig.WatchAsync()).Exchange.Query("resourceVersion"));
        Assert.Equal(1, rig.Lists);
    }

    [Fact]
    public async Task After_410_it_lists_anew_and_finds_what_went_meanwhile()
    {
        await using var rig = new Rig();
        rig.Pods["a"] = 1;
        rig.Pods["b"] = 2;
        rig.Pods["c"] = 3;
        rig.Start();
        for (int i = 0; i < 3; i++)
            await rig.NextAsync();
        var watch = await rig.WatchAsync();
        rig.Pods.Remove("a");
        rig.Pods["b"] = 20;
        rig.Pods["d"] = 21;
        rig.Version = 30;
        watch.Lines.TryWrite("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}""");
        var seen = new[] { await rig.NextAsync(), await rig.NextAsync(), await rig.NextAsync() };
        Assert.Equal(["Added d -/21", "Deleted a 1/-", "Modified b 2/20"], seen.Order());
        Assert.Equal("30", (await rig.WatchAsync()).Exchange.Query("resourceVersion"));
        Assert.Equal(["b", "c", "d"], rig.Informer.Objects.Keys.Select(k => k.Name).Order());
    }

    [Fact]
    public async Task A_server_whose_store_went_back_is_listed_anew()
    {
        await using var rig = new Rig();
        rig.Pods["a"] = 1;
        rig.Pods["b"] = 9;
        rig.Start();
        await rig.NextAsync();
        await rig.NextAsync();
        var watch = await rig.WatchAsync();
        rig.Pods.Remove("b");
        rig.Pods["c"] = 4;
        rig.Version = 5;
        watch.Break();
        // The same number may mean another state by now.
        Assert.Equal(["Added c -/4", "Deleted b 9/-", "Modified a 1/1"], new[] { await rig.NextAsync(), await rig.NextAsync(), await rig.NextAsync() }.Order());
        Assert.Equal("5", (await rig.WatchAsync()).Exchange.Query("resourceVersion"));
        Assert.Equal(2, rig.Lists);
    }

    [Fact]
    public async Task A_watch_that_ended_without_a_word_is_followed_by_a_look_at_where_the_server_is()
    {
        await using var rig = new Rig();
        rig.Pods["a"] = 9;
        rig.Start();
        await rig.NextAsync();
        var watch = await rig.WatchAsync();
        rig.Version = 11;
        watch.Lines.TryComplete();
        watch = await rig.WatchAsync();
        Assert.Equal("10", watch.Exchange.Query("resourceVersion"));
        Assert.Equal(1, rig.Lists);
        rig.Version = 3;
        rig.Pods["a"] = 2;
        watch.Lines.TryComplete();
        Assert.Equal("Modified a 9/2", await rig.NextAsync());
        Assert.Equal("3", (await rig.WatchAsync()).Exchange.Query("resourceVersion"));
    }

    [Fact]
    public async Task A_server_that_ends_a_watch_before_its_time_may_have_gone_back_whatever_it_has_told()
    {
        await using var rig = new Rig();
        rig.Start();
        var watch = await rig.WatchAsync();
        watch.Lines.TryWrite(Rig.Line("ADDED", "late", 12));
        Assert.Equal("Added late -/12", await rig.NextAsync());
        watch.Lines.TryComplete();
        Assert.Equal("Deleted late 12/-", await rig.NextAsync());
        Assert.Equal("10", (await rig.WatchAsync()).Exchange.Query("resourceVersion"));
    }

    [Fact]
    public async Task The_status_410_instead_of_a_watch_means_the_same()
    {
        await using var rig = new Rig { WatchRefusals = 1 };
        rig.Start();
        await rig.WatchAsync();
        Assert.Equal(2, rig.Lists);
    }

    [Fact]
    public async Task One_that_was_made_again_under_its_name_is_deleted_and_added()
    {
        await using var rig = new Rig();
        rig.Pods["a"] = 1;
        rig.Start();
        await rig.NextAsync();
        (await rig.WatchAsync()).Lines.TryWrite(Rig.Line("ADDED", "a", 12, uid: "another"));
        Assert.Equal(["Deleted a 1/-", "Added a -/12"], [await rig.NextAsync(), await rig.NextAsync()]);
    }

    [Fact]
    public async Task What_is_told_twice_is_one_change()
    {
        await using var rig = new Rig();
        rig.Pods["a"] = 1;
        rig.Start();
        await rig.NextAsync();
        var watch = await rig.WatchAsync();
        watch.Lines.TryWrite(Rig.Line("ADDED", "a", 1));
        watch.Lines.TryWrite(Rig.Line("DELETED", "never", 11));
        watch.Lines.TryWrite(Rig.Line("ADDED", "b", 12));
        Assert.Equal("Added b -/12", await rig.NextAsync());
    }

    [Fact]
    public async Task A_server_that_is_away_is_tried_again_until_it_is_there()
    {
        await using var rig = new Rig { ListFailures = 3 };
        rig.Pods["a"] = 1;
        rig.Start();
        Assert.Equal("Added a -/1", await rig.NextAsync());
        Assert.Equal(3, rig.Troubles);
        (await rig.WatchAsync()).Lines.TryWrite(Rig.Line("ADDED", "b", 11));
        await rig.NextAsync();
        Assert.Equal(1, rig.Recoveries);
    }

    [Fact]
    public async Task Cancelled_it_ends_and_so_do_its_changes()
    {
        await using var rig = new Rig();
        rig.Start();
        await rig.WatchAsync();
        await rig.StopAsync();
        await rig.Informer.Changes.Completion;
    }

    [Fact]
    public void Waits_double_up_to_the_longest_and_spread()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), TimeProvider.System, new Random(1));
        double[] most = [1, 2, 4, 4];
        foreach (double bound in most)
            Assert.InRange(backoff.Next().TotalSeconds, bound / 2, bound);
        backoff.Reset();
        Assert.InRange(backoff.Next().TotalSeconds, 0.5, 1);
    }

    /// <summary>An informer of pods on a server whose pods and watches the test holds in its hand.</summary>
    private sealed class Rig : IAsyncDisposable
    {
        private readonly FakeServer server;
        private readonly KubernetesClient client;
        private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        private readonly Channel<Watch> watches = Channel.CreateUnbounded<Watch>();
        private Task running = Task.CompletedTask;

        public Rig()
        {
            server = new FakeServer(ServeAsync);
            client = new KubernetesClient(new() { Server = server.Address }, TimeProvider.System);
            Informer = new Informer<Pod>(client, new ListOptions { Namespace = "default" }, new Random(1)) { OnTrouble = _ => Troubles++, OnRecovery = () => Recoveries++ };
        }

        public SortedDictionary<string, int> Pods { get; } = [];
        public int Version { get; set; } = 10;
        public int Lists { get; private set; }
        public int ListFailures { get; set; }
        public int WatchRefusals { get; set; }
        public int Troubles { get; private set; }
        public int Recoveries { get; private set; }
        public Informer<Pod> Informer { get; }

        public void Start() => running = Informer.RunAsync(stop.Token);

        public async Task StopAsync()
        {
            await stop.CancelAsync();
            await running;
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            client.Dispose();
            await server.DisposeAsync();
            stop.Dispose();
        }

        public ValueTask<Watch> WatchAsync() => watches.Reader.ReadAsync(Cancel);

        public async Task<string> NextAsync()
        {
            var change = await Informer.Changes.ReadAsync(Cancel);
            return $"{change.Kind} {change.Key.Name} {change.Old?.Metadata.ResourceVersion ?? "-"}/{change.New?.Metadata.ResourceVersion ?? "-"}";
        }

        public static string Line(string type, string name, int version, string? uid = null) =>
            $$$"""{"type":"{{{type}}}","object":{{{Json(name, version, uid)}}}}""";

        private static string Json(string name, int version, string? uid = null) =>
            $$$"""{"metadata":{"name":"{{{name}}}","namespace":"default","uid":"{{{uid ?? name}}}","resourceVersion":"{{{version}}}"}}""";

        private async Task ServeAsync(FakeExchange exchange)
        {
            if (!exchange.IsWatch)
            {
                if (ListFailures > 0)
                {
                    ListFailures--;
                    await exchange.AnswerAsync(503, "starting", "text/plain");
                    return;
                }
                if (exchange.Query("limit") != "1")
                {
                    Lists++;
                }
                await exchange.AnswerAsync(200, $$$"""{"metadata":{"resourceVersion":"{{{Version}}}"},"items":[{{{string.Join(',', Pods.Select(p => Json(p.Key, p.Value)))}}}]}""");
                return;
            }
            if (WatchRefusals > 0)
            {
                WatchRefusals--;
                await exchange.AnswerAsync(410, """{"kind":"Status","code":410,"reason":"Expired"}""");
                return;
            }
            var watch = new Watch(exchange);
            await exchange.BeginAsync();
            watches.Writer.TryWrite(watch);
            await watch.ServeAsync();
        }
    }

    private sealed class Watch(FakeExchange exchange)
    {
        private readonly Channel<string?> lines = Channel.CreateUnbounded<string?>();

        public FakeExchange Exchange => exchange;

        /// <summary>Completing it ends the watch as a server does whose time is up.</summary>
        public ChannelWriter<string?> Lines => lines.Writer;

        public void Break() => lines.Writer.TryWrite(null);

        public async Task ServeAsync()
        {
            await foreach (string? line in lines.Reader.ReadAllAsync(exchange.Stopped))
            {
                if (line is null)
                {
                    exchange.Abort();
                    return;
                }
                await exchange.SendAsync(line + "\n");
            }
            await exchange.EndAsync();
        }
    }
}
