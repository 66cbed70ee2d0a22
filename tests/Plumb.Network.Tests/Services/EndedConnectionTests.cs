using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Namespaces;

namespace Plumb.Network.Tests.Services;

/// <summary>What becomes of established TCP connections to an endpoint that is gone, by what `conntrack` lists and what the client feels.</summary>
public sealed class EndedConnectionTests
{
    private const string Asked = "annotations: {plumb.network/end-connections: TCP}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Asked, true)]
    [InlineData("annotations: {plumb.network/end-connections: tcp}", false)]
    [InlineData("", false)]
    public async Task A_connection_to_an_endpoint_that_is_gone_ends_when_the_Service_asks_for_it_and_no_other(string annotations, bool ends)
    {
        using var world = new ServiceWorld();
        using var server = new Echo(world["near"]);
        using var another = new Echo(world["far"]);
        world.Apply(Service("website", 7, annotations) + Service("shop", 8, annotations) + Slice("website", "near") + Slice("shop", "near"));
        using var client = await ConnectAsync(world, 7);
        using var neighbour = await ConnectAsync(world, 8);
        Assert.Equal(2, await CountAsync(world, "10.96.14"));

        // Going is not gone: whoever speaks to it may finish.
        world.Apply(Slice("website", "near", "conditions: {ready: false, serving: true, terminating: true}") + Slice("website-2", "far", service: "website"));
        await SpeakAsync(client);
        Assert.Equal(1, await CountAsync(world, "10.96.14.7"));

        world.Delete(Slice("website", "near"));

        Assert.Equal(ends ? 0 : 1, await CountAsync(world, "10.96.14.7"));
        Assert.Equal(1, await CountAsync(world, "10.96.14.8"));
        await SpeakAsync(neighbour);
        if (ends)
        {
            var told = await Assert.ThrowsAsync<SocketException>(() => SpeakAsync(client));
            Assert.Equal(SocketError.ConnectionReset, told.SocketErrorCode);
        }
        else
        {
            await SpeakAsync(client);
        }
    }

    [Fact]
    public async Task Connections_through_a_Service_that_is_deleted_end_with_it_when_it_asks_for_that()
    {
        using var world = new ServiceWorld();
        using var server = new Echo(world["near"]);
        world.Apply(Service("website", 7, Asked) + Service("shop", 8, "") + Slice("website", "near") + Slice("shop", "near"));
        using var client = await ConnectAsync(world, 7);
        using var neighbour = await ConnectAsync(world, 8);

        world.Delete(Service("website", 7, Asked) + Service("shop", 8, ""));

        Assert.Equal(0, await CountAsync(world, "10.96.14.7"));
        Assert.Equal(1, await CountAsync(world, "10.96.14.8"));
        await Assert.ThrowsAsync<SocketException>(() => SpeakAsync(client));
        await SpeakAsync(neighbour);
    }

    private static async Task<Socket> ConnectAsync(ServiceWorld world, byte last)
    {
        var socket = await world["client"].ConnectTcpAsync(new IPEndPoint(new IPAddress([10, 96, 14, last]), 80), Cancel);
        await SpeakAsync(socket);
        return socket;
    }

    private static async Task SpeakAsync(Socket socket)
    {
        await socket.SendAsync("?"u8.ToArray(), Cancel);
        var answer = new byte[1];
        Assert.Equal(1, await socket.ReceiveAsync(answer, Cancel));
        Assert.Equal((byte)'?', answer[0]);
    }

    /// <summary>How many established connections to a Service's address the node knows.</summary>
    private static async Task<int> CountAsync(ServiceWorld world, string destination) =>
        (await world.RunAsync("node-1", "conntrack", "-L", "-p", "tcp")).Split('\n').Count(line => line.Contains("ESTABLISHED", StringComparison.Ordinal) && line.Contains($"dst={destination}", StringComparison.Ordinal));

    private static string Service(string name, int last, string annotations) =>
        $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}}{{(annotations.Length == 0 ? "" : ", " + annotations)}} }
        spec: {clusterIP: 10.96.14.{{last}}, clusterIPs: [10.96.14.{{last}}], ports: [{port: 80, protocol: TCP}]}
        ---

        """;

    private static string Slice(string name, string pod, string conditions = "conditions: {ready: true}", string? service = null) =>
        $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: {{name}}, labels: {kubernetes.io/service-name: {{service ?? name}} } }
        addressType: IPv4
        ports: [{port: 8080, protocol: TCP}]
        endpoints: [{addresses: [{{(pod == "near" ? "10.244.1.3" : "10.244.2.2")}}], {{conditions}} }]
        ---

        """;

    /// <summary>Gives back what it hears, on each connection until its client closes it.</summary>
    private sealed class Echo : IDisposable
    {
        private readonly Socket _listener;

        public Echo(NetworkNamespace inside)
        {
            _listener = inside.ListenTcp(new IPEndPoint(IPAddress.Any, 8080));
            _ = AcceptAsync();
        }

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = AnswerAsync(await _listener.AcceptAsync(Cancel));
                }
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The server has ended.
            }
        }

        private static async Task AnswerAsync(Socket client)
        {
            using (client)
            {
                var buffer = new byte[64];
                try
                {
                    for (int read; (read = await client.ReceiveAsync(buffer, Cancel)) > 0;)
                    {
                        await client.SendAsync(buffer.AsMemory(0, read), Cancel);
                    }
                }
                catch (Exception gone) when (gone is SocketException or OperationCanceledException)
                {
                    // The client went.
                }
            }
        }
    }
}
