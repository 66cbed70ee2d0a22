using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Api;

/// <summary>
/// The API as clients see it, over TLS from another process: `Plumb.Benchmarks api KUBECONFIG SERVER-PID OBJECTS WATCHERS`. 1. As many ConfigMaps are made as fast as the
/// server takes them. 2. Clients list and watch them all. 3. One after another a thousand more are made, and timed until each client has heard of it.
/// </summary>
/// <remarks>
/// The peer is the same server's `/readyz`: what TLS, HTTP and the machine take when nothing is stored. Prints creates a second, `/readyz` a second, the server's processor
/// time for a create in ms, then in ms from request to event p50 and p99, of a `/readyz` p50 and p99, and the server's processor time for a create with all its events.
/// </remarks>
internal sealed class ApiRun : IDisposable
{
    private const int Writers = 16;
    private const int Timed = 1000;
    private const int Warm = 100;
    private const string Collection = "/api/v1/namespaces/default/configmaps";

    private readonly ClusterConnection _connection;
    private readonly KubernetesClient _api;
    private readonly int _server;

    private ApiRun(string kubeconfig, int server)
    {
        _connection = Kubeconfig.Load(kubeconfig, "/").Connection();
        _api = new KubernetesClient(_connection, TimeProvider.System, "plumb-bench");
        _server = server;
    }

    public static async Task<int> RunAsync(string[] arguments)
    {
        using var run = new ApiRun(arguments[0], Figures.Number(arguments[1]));
        await run.MeasureAsync(Figures.Number(arguments[2]), Figures.Number(arguments[3]));
        return 0;
    }

    public void Dispose() => _api.Dispose();

    private async Task MeasureAsync(int objects, int watchers)
    {
        // Both ends compile what they run; a server that has answered nothing yet says nothing of one that has.
        await AtOnceAsync(objects / 2, number => CreateAsync($"warm-{number}"));
        await AtOnceAsync(objects / 2, _ => ReadyAsync());
        var before = Figures.CpuMilliseconds(_server);
        var creates = await AtOnceAsync(objects, number => CreateAsync($"object-{number}"));
        var each = (Figures.CpuMilliseconds(_server) - before) / objects;
        var readies = await AtOnceAsync(objects, _ => ReadyAsync());
        var (events, peer, told) = await WatchAsync(watchers);
        Console.WriteLine($"{creates:0} {readies:0} {each:0.000} {Figures.Of(events, 50):0.00} {Figures.Of(events, 99):0.00} {Figures.Of(peer, 50):0.00} {Figures.Of(peer, 99):0.00} {told:0.000}");
    }

    // How many of it a second.
    private static async Task<double> AtOnceAsync(int count, Func<int, Task> request)
    {
        var next = -1;
        var since = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            for (var number = Interlocked.Increment(ref next); number < count; number = Interlocked.Increment(ref next))
            {
                await request(number);
            }
        }));
        return count / Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private async Task<(List<double> Events, List<double> Peer, double Cpu)> WatchAsync(int watchers)
    {
        using var end = new CancellationTokenSource();
        var heard = new ConcurrentDictionary<string, (CountdownEvent Left, ConcurrentBag<long> At)>(StringComparer.Ordinal);
        var clients = Enumerable.Range(0, watchers).Select(_ => new KubernetesClient(_connection, TimeProvider.System, "plumb-bench")).ToList();
        var informers = clients.ConvertAll(client => new Informer<ConfigMap>(client, ListOptions.All, new Random(1)));
        var watching = informers.ConvertAll(informer => informer.RunAsync(end.Token));
        await Task.WhenAll(informers.Select(static informer => informer.Synced));
        var following = informers.ConvertAll(async informer =>
        {
            await foreach (var change in informer.Changes.ReadAllAsync(end.Token))
            {
                if (heard.TryGetValue(change.Key.Name, out var waited))
                {
                    waited.At.Add(Stopwatch.GetTimestamp());
                    waited.Left.Signal();
                }
            }
        });
        var (events, peer, cpu) = (new List<double>(), new List<double>(), 0d);
        for (var i = 0; i < Warm + Timed; i++)
        {
            var name = $"timed-{i}";
            using var left = new CountdownEvent(watchers);
            var waited = (Left: left, At: new ConcurrentBag<long>());
            heard[name] = waited;
            if (i == Warm)
            {
                cpu = Figures.CpuMilliseconds(_server);
            }
            var asked = Stopwatch.GetTimestamp();
            await CreateAsync(name);
            await Task.Run(left.Wait);
            heard.TryRemove(name, out _);
            if (i >= Warm)
            {
                events.AddRange(waited.At.Select(at => Stopwatch.GetElapsedTime(asked, at).TotalMilliseconds));
            }
        }
        cpu = (Figures.CpuMilliseconds(_server) - cpu) / Timed;
        for (var i = 0; i < Timed; i++)
        {
            var asked = Stopwatch.GetTimestamp();
            await ReadyAsync();
            peer.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        }
        await end.CancelAsync();
        await Task.WhenAll(watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(following).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        clients.ForEach(static client => client.Dispose());
        return (events, peer, cpu);
    }

    private Task<byte[]> ReadyAsync() => _api.SendAsync(HttpMethod.Get, "/readyz");

    private async Task CreateAsync(string name)
    {
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(
            $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","labels":{"app":"website"}},"data":{"settings":"{{{new string('x', 500)}}}"}}"""));
        body.Headers.ContentType = new("application/json");
        await _api.SendAsync(HttpMethod.Post, Collection, body);
    }
}
