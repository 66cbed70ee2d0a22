using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>Node ports as a person on the machine itself reaches them, with no rights on its network.</summary>
public sealed class HostPortTests
{
    private const string Manifests =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}}
        spec: {nodeName: node-2, containers: [{name: main, image: agnhost, args: [netexec]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          type: NodePort
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: 8080}, {name: udp, port: 81, targetPort: 8081, protocol: UDP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: near}
        spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ipv4")]
    [InlineData("ipv4", "--agent-processes")]
    [InlineData("ipv6")]
    public async Task A_node_port_is_on_the_host_while_its_Service_is_there(string families, params string[] more)
    {
        await using var user = new LabUser();
        var lab = await UpAsync(user, ["--ip-family", families, .. more]);
        var port = await PortAsync(lab, "web");
        Assert.Equal("web", await CurlAsync(port, "/hostname"));
        Assert.Equal("web", await AskUdpAsync(await PortAsync(lab, "web", 1)));
        // Only a node with an endpoint answers there, and the endpoint sees who asks.
        var seen = await CurlAsync(await PortAsync(lab, "near"), "/clientip");
        Assert.StartsWith(families == "ipv6" ? "[fd00:192:168:1::1]" : "192.168.1.1:", seen, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{port} leads to default/web", (await lab.PlumbAsync("status")).Succeeds().Output, StringComparison.Ordinal);

        var near = await PortAsync(lab, "near");
        (await lab.KubectlAsync("delete", "service", "web")).Succeeds();
        await FreeAsync(port);
        (await lab.PlumbAsync("down")).Succeeds();
        await FreeAsync(near);
    }

    [Fact]
    public async Task A_port_that_another_has_is_said_and_led_around()
    {
        await using var user = new LabUser();
        var (taken, port) = Take();
        using (taken)
        {
            var lab = await UpAsync(user, []);
            var patch = $$$"""{"spec":{"ports":[{"name":"http","port":80,"nodePort":{{{port}}}}]}}""";
            (await lab.KubectlAsync("patch", "service", "web", "--type=strategic", "-p", patch)).Succeeds();
            Assert.Contains($"port {port} of 127.0.0.1", await lab.EventAsync("NodePortTakenOnHost", "web"), StringComparison.Ordinal);
            var status = JsonElement.Parse((await lab.PlumbAsync("status", "-o", "json")).Succeeds().Output).GetProperty("labs")[0].GetProperty("hostPorts");
            var other = status.EnumerateArray().Single(one => one.GetProperty("nodePort").GetInt32() == port).GetProperty("hostPort").GetInt32();
            Assert.NotEqual(port, other);
            Assert.Equal("web", await CurlAsync(other, "/hostname"));
            Assert.Contains("belongs to another program", (await lab.PlumbAsync("status")).Succeeds().Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_Service_with_nobody_behind_it_resets_and_a_large_answer_arrives_whole()
    {
        await using var user = new LabUser();
        var lab = await UpAsync(user, []);
        var port = await PortAsync(lab, "web");
        var text = new string('x', 6000);
        Assert.Equal(text, await CurlAsync(port, $"/echo?msg={text}"));
        (await lab.KubectlAsync("delete", "pod", "web", "--grace-period=1")).Succeeds();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var refused = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            await client.ConnectAsync(IPAddress.Loopback, port, Cancel);
            await client.ReceiveAsync(new byte[1], Cancel);
        });
        Assert.Equal(SocketError.ConnectionReset, refused.SocketErrorCode);
    }

    private static Task<RunningLab> UpAsync(LabUser user, string[] options) => user.UpWithAsync(Manifests, ["--nodes", "2", .. options]);

    private static async Task<int> PortAsync(RunningLab lab, string service, int index = 0) =>
        int.Parse(await lab.GetAsync("service", service, "-o", $"jsonpath={{.spec.ports[{index}].nodePort}}"));

    private static async Task<string> CurlAsync(int port, string path) =>
        (await Commands.RunAsync(
            new Dictionary<string, string?>(), null, "curl", "-s", "--max-time", "20", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", $"http://127.0.0.1:{port}{path}")).Succeeds().Output;

    private static async Task<string> AskUdpAsync(int port)
    {
        using var client = new UdpClient();
        client.Connect(IPAddress.Loopback, port);
        for (var left = 50; ; left--)
        {
            await client.SendAsync("hostname"u8.ToArray(), Cancel);
            try
            {
                return Encoding.UTF8.GetString((await client.ReceiveAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(1), Cancel)).Buffer);
            }
            catch (Exception again) when (again is TimeoutException or SocketException && left > 0)
            {
                // A datagram may be lost.
            }
        }
    }

    private static (Socket Socket, int Port) Take()
    {
        for (var port = 32000; ; port++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                socket.Listen();
                return (socket, port);
            }
            catch (SocketException)
            {
                socket.Dispose();
            }
        }
    }

    private static async Task FreeAsync(int port)
    {
        for (var left = 100; ; left--)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                socket.Listen();
                return;
            }
            catch (SocketException) when (left > 0)
            {
                await Task.Delay(100, Cancel);
            }
        }
    }
}
