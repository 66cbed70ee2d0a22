using System.Net;
using System.Net.Sockets;
using System.Text;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Lab.Tests.Life;

/// <summary>Ports of a node that lead to a pod, by SCTP. The kernel that a test meets may have none: `tests/other-kernel` runs these under one that has.</summary>
public sealed class SctpTests(OneNode node) : IClassFixture<OneNode>
{
    private const string Address = "192.168.1.11";
    private const string Pod = """ "containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port=80","--sctp-port=9"],"ports":[{"containerPort":9,"hostPort":36412,"protocol":"SCTP"},{"containerPort":9,"hostPort":36413,"hostIP":"192.168.1.11","protocol":"SCTP"}]}] """;

    private const string Refused = nameof(SocketError.ConnectionRefused);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Whether this kernel has sockets for it.</summary>
    internal static bool IsThere
    {
        get
        {
            using var here = NetworkNamespace.OpenHome();
            try
            {
                here.OpenSctp(AddressFamily.InterNetwork).Dispose();
                return true;
            }
            catch (SystemCallException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task A_host_port_is_open_to_outside_the_node_itself_other_pods_and_the_pod_while_the_pod_is_there()
    {
        Assert.SkipUnless(IsThere, "this kernel has no SCTP sockets");
        await node.PodAsync("amf", Pod);
        await node.PodAsync("other", """ "containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port=80"]}] """);
        await node.UntilAsync("amf", static pod => pod.Status.Phase == "Running");
        await node.UntilAsync("other", static pod => pod.Status.Phase == "Running");
        using var outside = node.NamespaceOf("outside");
        using var inside = node.NamespaceOf("node-1");

        var answers = new List<string>
        {
            await AskAsync(outside, Address, 36412),
            await AskAsync(outside, Address, 36413),
            await AskAsync(inside, Address, 36412),
            await AskAsync(inside, "127.0.0.1", 36412),
            await DialAsync("other"),
            await DialAsync("amf"),
            // The neighbours are nobody's, and one that says its address is not at others.
            await AskAsync(outside, Address, 36411),
            await AskAsync(inside, "127.0.0.1", 36413),
        };
        const string dialed = """{"responses":["amf"]}""";
        Assert.Equal(["amf", "amf", "amf", "amf", dialed, dialed, Refused, Refused], answers);

        await node.DeleteAsync("amf");
        await node.GoneAsync("amf");
        Assert.Equal(Refused, await AskAsync(outside, Address, 36412));
    }

    private async Task<string> DialAsync(string from)
    {
        var pod = await node.UntilAsync(from, static pod => pod.Status.PodIP is not null);
        return await node.ExecAsync(from, "c", "curl", "-s", "-m", "60", $"http://{pod.Status.PodIP}/dial?host={Address}&port=36412&protocol=sctp&request=hostname");
    }

    /// <returns>Who answers, or why nobody does.</returns>
    private static async Task<string> AskAsync(NetworkNamespace from, string address, int port)
    {
        using var socket = from.OpenSctp(AddressFamily.InterNetwork);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), Cancel).AsTask().WaitAsync(Patience, Cancel);
            await socket.SendAsync("hostname"u8.ToArray(), Cancel).AsTask().WaitAsync(Patience, Cancel);
            var buffer = new byte[256];
            return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Cancel).AsTask().WaitAsync(Patience, Cancel));
        }
        catch (Exception nobody) when (nobody is SocketException or TimeoutException)
        {
            return nobody is SocketException refused ? refused.SocketErrorCode.ToString() : nobody.Message;
        }
    }
}
