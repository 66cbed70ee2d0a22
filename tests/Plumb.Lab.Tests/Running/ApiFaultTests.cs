using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Plumb.Api;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Tests.Running;

/// <summary>A whole lab whose nodes and agents lose the API for a while.</summary>
public sealed class ApiFaultTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _root = Directory.CreateTempSubdirectory("p-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Agents_and_nodes_come_back_after_a_cut_also_when_their_place_in_the_watch_is_forgotten(bool isForgotten)
    {
        using var link = new CuttableLink();
        var lab = await Lab.StartAsync(
            new LabOptions { Nodes = 2, RuntimeRoot = Path.Combine(_root, "plumb") }, new Silence(), TimeProvider.System, link.ConnectAsync, Cancel);
        await using var _ = lab;
        using var api = new KubernetesClient(
            new ClusterConnection { Server = new Uri("http://in-process"), Connect = _ => new(lab.Api.Connect()) }, TimeProvider.System, "test");
        await CreateAsync(api, "pods", PodOn("node-1", "before"));
        await UntilAsync(lab, async () => (await api.GetAsync<Pod>("default", "before", Cancel)).Status.Phase == "Running");

        link.Cut();
        await CreateAsync(api, "pods", PodOn("node-2", "during"));
        await api.DeleteAsync<Pod>("default", "before", cancel: Cancel);
        // A node that nobody plays: what it means to the others' kernels is all there is of it.
        await api.SendAsync(HttpMethod.Post, "/api/v1/nodes", Json(
            """{"metadata":{"name":"node-9"},"spec":{"podCIDR":"10.244.9.0/24","podCIDRs":["10.244.9.0/24"]},"status":{"addresses":[{"type":"InternalIP","address":"192.168.1.19"}]}}"""), Cancel);
        if (isForgotten)
        {
            lab.Api.Store.Compact();
        }
        Assert.Empty(RouteTo("10.244.9.0/24", lab));
        link.Mend();

        await UntilAsync(lab, async () => (await api.GetAsync<Pod>("default", "during", Cancel)).Status.Phase == "Running");
        await UntilAsync(lab, async () => await api.FindAsync<Pod>("default", "before", Cancel) is null);
        await UntilAsync(lab, () => Task.FromResult(RouteTo("10.244.9.0/24", lab).Contains("10.244.9.0/24", StringComparison.Ordinal)));
        Assert.True(link.Cuts >= 3, $"only {link.Cuts} connections were cut: those of two agents and the nodes' part are more");
        var log = await File.ReadAllTextAsync(lab.Paths.Log, Cancel);
        Assert.Equal(isForgotten, log.Contains("too old resource version", StringComparison.Ordinal));
    }

    private static string PodOn(string node, string name) =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"nodeName":"{{{node}}}","terminationGracePeriodSeconds":1,"containers":[{"name":"main","image":"httpd"}]}}""";

    private static Task<byte[]> CreateAsync(KubernetesClient api, string resource, string json) =>
        api.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/default/{resource}", Json(json), Cancel);

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    /// <summary>What node-1's kernel says, through another program than ours.</summary>
    private static string RouteTo(string range, Lab lab)
    {
        var path = lab.Status().Machines[0].NamespacePath;
        using var ip = Process.Start(new ProcessStartInfo("nsenter", [$"--net=/proc/{Environment.ProcessId}/{path}", "--", "ip", "route", "show", range])
        {
            RedirectStandardOutput = true,
        })!;
        var said = ip.StandardOutput.ReadToEnd();
        ip.WaitForExit();
        Assert.Equal(0, ip.ExitCode);
        return said;
    }

    private static async Task UntilAsync(Lab lab, Func<Task<bool>> isSo, [CallerArgumentExpression(nameof(isSo))] string what = "")
    {
        var since = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(since.Elapsed < Patience, $"after {Patience} still not: {what}\n{Objects(lab)}\n{await File.ReadAllTextAsync(lab.Paths.Log, Cancel)}");
            await Task.Delay(20, Cancel);
        }
    }

    private static string Objects(Lab lab) => string.Join('\n',
        ((string[])["pods", "events"]).SelectMany(kind => lab.Api.Store.List(new GroupResource("", kind))).Select(static stored => Encoding.UTF8.GetString(stored.Json.Span)));

    private sealed class Silence : IProgress<LabProgress>
    {
        public void Report(LabProgress value)
        {
        }
    }

    /// <summary>While it is cut, connections that were are gone and new ones are refused.</summary>
    private sealed class CuttableLink : IDisposable
    {
        private readonly ConcurrentBag<Stream> _open = [];
        private volatile bool _isCut;

        public int Cuts { get; private set; }

        public ValueTask<Stream> ConnectAsync(ApiServer api, CancellationToken cancel)
        {
            if (_isCut)
            {
                throw new SocketException((int)SocketError.ConnectionRefused);
            }
            var stream = api.Connect();
            _open.Add(stream);
            return new(stream);
        }

        public void Cut()
        {
            _isCut = true;
            while (_open.TryTake(out var stream))
            {
                stream.Dispose();
                Cuts++;
            }
        }

        public void Mend() => _isCut = false;

        public void Dispose() => Cut();
    }
}
