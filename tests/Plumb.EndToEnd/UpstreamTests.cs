using System.Net;
using System.Net.Sockets;

namespace Plumb.EndToEnd;

/// <summary>A server of the world on the host's loopback: every name has the address 192.0.2.7.</summary>
public sealed class World : IDisposable
{
    private const int HeaderBytes = 12;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public World()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        new Thread(Serve) { IsBackground = true }.Start();
    }

    public string Address => $"{_socket.LocalEndPoint}";

    public void Dispose() => _socket.Dispose();

    private void Serve()
    {
        var request = new byte[4096];
        EndPoint asker = new IPEndPoint(IPAddress.Any, 0);
        try
        {
            while (_socket.ReceiveFrom(request, ref asker) is var length)
            {
                var question = HeaderBytes;
                while (question < length && request[question] != 0)
                {
                    question += request[question] + 1;
                }
                var isV4 = request[question + 2] == 1;
                // The question, and for addresses of IPv4 a pointer to its name, type A, class IN, a minute, four bytes.
                byte[] answer = isV4 ? [0xc0, HeaderBytes, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7] : [];
                _socket.SendTo((byte[])[.. request[..2], 0x81, 0x80, 0, 1, 0, isV4 ? (byte)1 : (byte)0, 0, 0, 0, 0, .. request[HeaderBytes..(question + 5)], .. answer], asker);
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}

/// <summary>A lab whose agents are processes in their nodes' namespaces, from which nobody of the world can be reached.</summary>
public sealed class UpstreamLab : IAsyncLifetime
{
    private const string Manifests =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: client}
        spec: {containers: [{name: main, image: busybox, command: [sleep, infinity]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: as-its-node}
        spec: {dnsPolicy: Default, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: on-its-node}
        spec: {hostNetwork: true, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: wants-too-much}
        spec:
          dnsPolicy: Default
          dnsConfig: {nameservers: [192.0.2.1, 192.0.2.2, 192.0.2.3], searches: [lab.example], options: [{name: timeout, value: "1"}]}
          containers: [{name: main, image: busybox, command: [sleep, infinity]}]
        """;

    private readonly World _world = new();

    public LabUser User { get; } = new();

    public RunningLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var file = Path.Combine(User.RuntimeDirectory, "pods.yaml");
        await File.WriteAllTextAsync(file, Manifests);
        Lab = await User.UpAsync("--nodes", "1", "--agent-processes", "--dns-upstream", _world.Address, "-f", file);
    }

    public async ValueTask DisposeAsync()
    {
        await User.DisposeAsync();
        _world.Dispose();
    }
}

/// <summary>Names of the world in a lab, by the way that each pod's resolv.conf says.</summary>
public sealed class UpstreamTests(UpstreamLab fixture) : IClassFixture<UpstreamLab>
{
    private RunningLab Lab => fixture.Lab;

    [Theory]
    [InlineData("client")]
    [InlineData("as-its-node")]
    [InlineData("on-its-node")]
    public async Task A_pod_finds_a_name_of_the_world(string pod)
    {
        Assert.Equal("192.0.2.7", (await ExecAsync(pod, "dig", "+short", "+time=20", "+tries=1", "www.example.com")).Succeeds().Output.Trim());
        Assert.Contains("192.0.2.7", (await ExecAsync(pod, "getent", "ahostsv4", "www.example.com")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("client", "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n")]
    [InlineData("as-its-node", "nameserver 192.168.1.1\n")]
    [InlineData("on-its-node", "nameserver 192.168.1.1\n")]
    [InlineData("wants-too-much", "search lab.example\nnameserver 192.168.1.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions timeout:1\n")]
    public async Task A_pod_has_the_resolv_conf_of_its_policy(string pod, string text) =>
        Assert.Equal(text, (await ExecAsync(pod, "cat", "/etc/resolv.conf")).Succeeds().Output);

    [Fact]
    public async Task What_a_resolver_cannot_bear_is_left_out_and_an_event_says_so() =>
        Assert.Contains(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.168.1.1 192.0.2.1 192.0.2.2",
            await Lab.EventAsync("DNSConfigForming", "wants-too-much"),
            StringComparison.Ordinal);

    [Fact]
    public async Task The_API_refuses_a_dnsConfig_that_no_resolver_could_bear()
    {
        var refused = await Lab.KubectlWithInputAsync(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: refused}
            spec:
              dnsPolicy: None
              dnsConfig: {nameservers: [192.0.2.1, 192.0.2.2, 192.0.2.3, nowhere], searches: ["not a name", under_score.example], options: [{value: "1"}]}
              containers: [{name: main, image: busybox}]
            """,
            "apply", "-f", "-");
        Assert.NotEqual(0, refused.ExitCode);
        foreach (var said in (string[])["must not have more than 3 nameservers", "nameservers[3]", "searches[0]", "dnsConfig.options[0]: Required value: must not be empty"])
        {
            Assert.Contains(said, refused.Error, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("searches[1]", refused.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> ExecAsync(string pod, params string[] command) => Lab.KubectlAsync(["exec", pod, "--", .. command]);
}
