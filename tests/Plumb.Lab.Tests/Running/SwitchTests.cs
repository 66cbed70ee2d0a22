using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Namespaces;
using Plumb.Network.Facts;

namespace Plumb.Lab.Tests.Running;

/// <summary>A lab whose nodes go over to another way of serving Services while connections come and others last.</summary>
public sealed class SwitchTests : IDisposable
{
    private const int ConnectionsBetween = 60;

    private static readonly IPEndPoint ClusterIP = new(IPAddress.Parse("10.96.14.7"), 80);
    private static readonly IPEndPoint NodePort = new(IPAddress.Parse("192.168.1.12"), 31100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _root = Directory.CreateTempSubdirectory("p-").FullName;
    private int _connections;
    private int _requests;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task No_request_fails_there_or_back()
    {
        await using var lab = await Lab.StartAsync(
            new LabOptions { Nodes = 2, RuntimeRoot = Path.Combine(_root, "plumb"), DnsUpstreams = [] }, new Silence(), null, TimeProvider.System, Cancel);
        using var api = new KubernetesClient(
            new ClusterConnection { Server = new Uri("http://in-process"), Connect = _ => new(lab.Api.Connect()) }, TimeProvider.System, "test");
        await BuildAsync(api);
        using var near = Of(lab, static status => status.Pods.First(static pod => pod.Name == "client-1").NamespacePath);
        using var far = Of(lab, static status => status.Pods.First(static pod => pod.Name == "client-2").NamespacePath);
        using var outside = Of(lab, static status => status.Machines.First(static machine => machine.Name == "outside").NamespacePath);
        using var node = Of(lab, static status => status.Machines.First(static machine => machine.Name == "node-1").NamespacePath);
        await UntilAnswersAsync(near, far, outside, node);

        using var ended = new CancellationTokenSource();
        (NetworkNamespace From, IPEndPoint To)[] ways = [(near, ClusterIP), (far, ClusterIP), (node, ClusterIP), (outside, NodePort), (near, NodePort)];
        var coming = ways.Select(way => ComeAsync(way.From, way.To, ended.Token)).ToList();
        var lasting = ways.Select(way => LastAsync(way.From, way.To, ended.Token)).ToList();
        await MoreAsync();
        foreach (var kind in new[] { ServicesKind.Iptables, ServicesKind.Nftables, ServicesKind.Iptables, ServicesKind.Nftables })
        {
            await lab.SetServicesAsync(kind, Cancel);
            Assert.Equal(kind, lab.Status().Services);
            Assert.Equal(kind == ServicesKind.Iptables, (await SaidAsync(node, "iptables-save")).Contains("-A KUBE-SVC-", StringComparison.Ordinal));
            Assert.Equal(kind == ServicesKind.Nftables, (await SaidAsync(node, "nft list table ip plumb")).Contains("map frontends", StringComparison.Ordinal));
            await MoreAsync();
        }
        await ended.CancelAsync();

        var failures = (await Task.WhenAll(coming)).Concat(await Task.WhenAll(lasting)).SelectMany(static all => all).ToList();
        Assert.True(failures.Count == 0, $"{failures.Count} of {_connections} connections and {_requests} requests failed:\n{string.Join('\n', failures.Take(20))}");
        Assert.DoesNotContain("the kernel refused", await File.ReadAllTextAsync(lab.Paths.Log, Cancel), StringComparison.Ordinal);
    }

    // Until so many more connections and requests have been answered.
    private async Task MoreAsync()
    {
        var (connections, requests) = (Volatile.Read(ref _connections) + ConnectionsBetween, Volatile.Read(ref _requests) + ConnectionsBetween);
        var since = Stopwatch.StartNew();
        while (Volatile.Read(ref _connections) < connections || Volatile.Read(ref _requests) < requests)
        {
            Assert.True(since.Elapsed < Patience, $"{Volatile.Read(ref _connections)} of {connections} connections, {Volatile.Read(ref _requests)} of {requests} requests");
            await Task.Delay(10, Cancel);
        }
    }

    private async Task<List<string>> ComeAsync(NetworkNamespace from, IPEndPoint to, CancellationToken ended)
    {
        var failures = new List<string>();
        while (!ended.IsCancellationRequested)
        {
            if (await AskAsync(from, to) is { } wrong)
            {
                failures.Add($"a new connection to {to}: {wrong}");
            }
            Interlocked.Increment(ref _connections);
        }
        return failures;
    }

    // One connection for all the time, and a request on it again and again.
    private async Task<List<string>> LastAsync(NetworkNamespace from, IPEndPoint to, CancellationToken ended)
    {
        var failures = new List<string>();
        try
        {
            using var socket = await from.ConnectTcpAsync(to, Cancel);
            while (!ended.IsCancellationRequested)
            {
                if (await RequestAsync(socket, "keep-alive") is { } wrong)
                {
                    failures.Add($"a request on a connection to {to} that lasts: {wrong}");
                    break;
                }
                Interlocked.Increment(ref _requests);
            }
        }
        catch (SocketException broken)
        {
            failures.Add($"a connection to {to} that lasts: {broken.Message}");
        }
        return failures;
    }

    private static async Task<string?> AskAsync(NetworkNamespace from, IPEndPoint to)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(Patience);
        try
        {
            using var socket = await from.ConnectTcpAsync(to, patience.Token);
            return await RequestAsync(socket, "close");
        }
        catch (SocketException refused)
        {
            return refused.Message;
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
            return "silence";
        }
    }

    private static async Task<string?> RequestAsync(Socket socket, string connection)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /hostname HTTP/1.1\r\nHost: website\r\nConnection: {connection}\r\n\r\n"), Cancel);
        var buffer = new byte[4096];
        var text = "";
        // One line of text, with its length or in one chunk.
        while (!text.Contains("web-", StringComparison.Ordinal))
        {
            var length = await socket.ReceiveAsync(buffer, Cancel);
            if (length == 0)
            {
                return $"it ended after '{text}'";
            }
            text += Encoding.ASCII.GetString(buffer, 0, length);
        }
        return text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) ? null : text;
    }

    private static async Task UntilAnswersAsync(params NetworkNamespace[] places)
    {
        foreach (var place in places)
        {
            var since = Stopwatch.StartNew();
            while (await AskAsync(place, NodePort) is { } wrong)
            {
                Assert.True(since.Elapsed < Patience, wrong);
                await Task.Delay(20, Cancel);
            }
        }
    }

    private static async Task BuildAsync(KubernetesClient api)
    {
        await CreateAsync(api, "services", """{"metadata":{"name":"website"},"spec":{"type":"NodePort","clusterIP":"10.96.14.7","selector":{"app":"web"},"ports":[{"port":80,"nodePort":31100}]}}""");
        foreach (var (name, node) in new[] { ("web-1", "node-1"), ("web-2", "node-2"), ("client-1", "node-1"), ("client-2", "node-2") })
        {
            var app = name[..name.IndexOf('-', StringComparison.Ordinal)];
            await CreateAsync(api, "pods", $$$"""{"metadata":{"name":"{{{name}}}","labels":{"app":"{{{app}}}"}},"spec":{"nodeName":"{{{node}}}","containers":[{"name":"main","image":"httpd"}]}}""");
        }
        foreach (var name in new[] { "web-1", "web-2", "client-1", "client-2" })
        {
            var since = Stopwatch.StartNew();
            while ((await api.GetAsync<Pod>("default", name, Cancel)).Status.Phase != "Running")
            {
                Assert.True(since.Elapsed < Patience, $"{name} does not run");
                await Task.Delay(20, Cancel);
            }
        }
    }

    private static Task<byte[]> CreateAsync(KubernetesClient api, string resource, string json) =>
        api.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/default/{resource}", new StringContent(json, Encoding.UTF8, "application/json"), Cancel);

    private static NetworkNamespace Of(Lab lab, Func<LabStatus, string> path) => NetworkNamespace.Open($"/proc/{Environment.ProcessId}/{path(lab.Status())}");

    private static async Task<string> SaidAsync(NetworkNamespace inside, string command)
    {
        using var tool = Process.Start(new ProcessStartInfo("nsenter", [$"--net={inside.ProcPath}", "--", .. command.Split(' ')]) { RedirectStandardOutput = true })!;
        var said = await tool.StandardOutput.ReadToEndAsync(Cancel);
        await tool.WaitForExitAsync(Cancel);
        Assert.Equal(0, tool.ExitCode);
        return said;
    }

    private sealed class Silence : IProgress<LabProgress>
    {
        public void Report(LabProgress value)
        {
        }
    }
}
