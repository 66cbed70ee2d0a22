using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Plumb.Agent.Names;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.Names;

public sealed class NodeNamesTests
{
    private static readonly IpAddress _server = IpAddress.V4(10, 96, 0, 10);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_cannot_have_the_port_says_so_and_answers_as_soon_as_it_is_free()
    {
        using var network = Loopback();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var (told, log) = (Channel.CreateUnbounded<bool>(), new RecordingLog());
        using var names = new NodeNames(new NodeAgentOptions
        {
            NodeName = "node-1",
            Network = network,
            StateDirectory = "",
            SocketPath = "",
            Cluster = new NetworkOptions { DnsServers = [_server] },
            Log = log,
        });
        Task running;
        using (var other = network.OpenUdp(AddressFamily.InterNetwork))
        {
            other.Bind(new IPEndPoint(_server.ToIPAddress(), 53));
            running = names.RunAsync(now => told.Writer.TryWrite(now), end.Token);
            Assert.False(await told.Reader.ReadAsync(Cancel));
            Assert.Contains("10.96.0.10", await log.LineAsync("no DNS on this node"), StringComparison.Ordinal);
        }
        Assert.True(await told.Reader.ReadAsync(Cancel));
        using var client = network.OpenUdp(AddressFamily.InterNetwork);
        await client.ConnectAsync(_server.ToIPAddress(), 53, Cancel);
        // dns-version.cluster.local TXT
        await client.SendAsync((byte[])[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 11, .. "dns-version"u8, 7, .. "cluster"u8, 5, .. "local"u8, 0, 0, 16, 0, 1], Cancel);
        var answer = new byte[512];
        Assert.True(await client.ReceiveAsync(answer, Cancel) > 0);
        Assert.Equal(7, answer[1]);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.False(told.Reader.TryRead(out _));
    }

    private static NetworkNamespace Loopback()
    {
        var network = NetworkNamespace.Create();
        using var kernels = new Kernels();
        var node = new NamespaceId("node-1");
        kernels.Add(node, NetworkNamespace.Open(network.ProcPath));
        kernels.Apply(
        [
            new DeltaItem(new Desired(new LinkEntry(node, "lo", new LinkType.Loopback()) { Up = true }), null),
            new DeltaItem(new Desired(new AddressEntry(node, "lo", IpPrefix.Host(_server))), null),
        ]);
        return network;
    }
}
