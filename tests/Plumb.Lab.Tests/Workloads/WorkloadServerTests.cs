using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Plumb.Api.Streaming;
using Plumb.Lab.Containers;
using Plumb.Lab.Workloads;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Workloads;

public sealed class WorkloadServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_workload_answers_the_common_pages_from_inside_its_pod()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        foreach (var image in new[] { "httpd", "nginx:1.27", "registry.example:5000/a/echo" })
        {
            using var place = new Place();
            using var log = Log(place);
            var workload = await server.StartAsync(place.Pod, Plan(image), log);
            using var client = place.Client();
            Assert.Equal("website-1", await client.GetStringAsync($"http://{place.Address}/hostname", Cancel));
            Assert.Equal("a b", await client.GetStringAsync($"http://{place.Address}/echo?msg=a%20b", Cancel));
            Assert.Equal("ok", await client.GetStringAsync($"http://{place.Address}/healthz", Cancel));
            Assert.Matches(@"^10\.244\.1\.5:\d+$", await client.GetStringAsync($"http://{place.Address}/clientip", Cancel));
            await workload.StopAsync(TimeSpan.Zero);
        }
    }

    [Fact]
    public async Task The_client_is_named_with_the_port_that_it_really_has()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var place = new Place();
        using var log = Log(place);
        await server.StartAsync(place.Pod, Plan("httpd"), log);
        using var socket = await place.Network.ConnectTcpAsync(new IPEndPoint(place.Address, 80), Cancel);
        await socket.SendAsync("GET /clientip HTTP/1.0\r\n\r\n"u8.ToArray(), Cancel);
        Assert.EndsWith("\r\n\r\n" + socket.LocalEndPoint, await ReadAllAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_pods_with_one_port_each_answer_for_themselves()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var one = new Place("one");
        using var two = new Place("two");
        using var logOne = Log(one);
        using var logTwo = Log(two);
        await server.StartAsync(one.Pod, Plan("httpd"), logOne);
        await server.StartAsync(two.Pod, Plan("httpd"), logTwo);
        using var toOne = one.Client();
        using var toTwo = two.Client();
        Assert.Equal("one", await toOne.GetStringAsync("http://10.244.1.5/hostname", Cancel));
        Assert.Equal("two", await toTwo.GetStringAsync("http://10.244.1.5/hostname", Cancel));
    }

    [Fact]
    public async Task Httpd_logs_each_request_in_the_common_log_format()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var place = new Place();
        using var log = Log(place);
        await server.StartAsync(place.Pod, Plan("httpd"), log);
        using var client = place.Client();
        Assert.Contains("It works!", await client.GetStringAsync("http://10.244.1.5/", Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("http://10.244.1.5/no%0Asuch", Cancel)).StatusCode);
        var lines = await LinesAsync(log);
        Assert.Equal("Plumb's built-in httpd, listening on 80/TCP", lines[0]);
        Assert.Matches(new Regex(@"^10\.244\.1\.5 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] ""GET / HTTP/1\.1"" 200 45$"), lines[1]);
        Assert.Matches(new Regex(@"""GET /no%0Asuch HTTP/1\.1"" 404 \d+$"), lines[2]);
    }

    [Fact]
    public async Task Netexec_listens_where_its_options_say_and_answers_datagrams()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var place = new Place();
        using var log = Log(place);
        var container = new ContainerSpec("c", "registry.k8s.io/e2e-test-images/agnhost:2.40", [], ["netexec", "--http-port=9000", "--udp-port", "9001"]);
        await server.StartAsync(place.Pod, WorkloadPlan.Of(container), log);
        using var client = place.Client();
        Assert.Equal("website-1", await client.GetStringAsync("http://10.244.1.5:9000/hostName", Cancel));
        Assert.StartsWith("NOW: ", await client.GetStringAsync("http://10.244.1.5:9000/", Cancel), StringComparison.Ordinal);

        using var udp = place.Network.OpenUdp(AddressFamily.InterNetwork);
        await udp.ConnectAsync(place.Address, 9001, Cancel);
        Assert.Equal("website-1", await AskAsync(udp, "hostname\n"));
        Assert.Equal("hello there", await AskAsync(udp, "echo hello there"));
        Assert.Equal(udp.LocalEndPoint!.ToString(), await AskAsync(udp, "clientip"));
    }

    [Fact]
    public async Task Netexec_ends_with_the_code_that_it_is_asked_for()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var place = new Place();
        using var log = Log(place);
        var workload = await server.StartAsync(place.Pod, WorkloadPlan.Of(new ContainerSpec("c", "agnhost", [], ["netexec"])), log);
        using var client = place.Client();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("http://10.244.1.5:8080/exit?code=3", Cancel)).StatusCode);
        Assert.Equal(3, await workload.Ended.WaitAsync(Cancel));
    }

    [Fact]
    public async Task A_port_in_use_is_fatal_only_when_somebody_named_it()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var place = new Place();
        using var log = Log(place);
        await server.StartAsync(place.Pod, Plan("httpd"), log);
        await server.StartAsync(place.Pod, Plan("sidecar"), log);
        Assert.Contains(await LinesAsync(log), static line => line.StartsWith("echo cannot listen on port 80/TCP: Address already in use", StringComparison.Ordinal));
        var named = Plan("sidecar", new ContainerPort(80, PortProtocol.Tcp, ""));
        var refusal = await Assert.ThrowsAsync<WorkloadException>(() => server.StartAsync(place.Pod, named, log));
        Assert.Equal("echo cannot listen on port 80/TCP: Address already in use", refusal.Message);
    }

    [Fact]
    public async Task A_stop_closes_idle_connections_lets_answers_end_and_leaves_no_listener()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var place = new Place();
        using var log = Log(place);
        var workload = await server.StartAsync(place.Pod, Plan("echo"), log);
        using var idle = await place.Network.ConnectTcpAsync(new IPEndPoint(place.Address, 80), Cancel);
        using var busy = await place.Network.ConnectTcpAsync(new IPEndPoint(place.Address, 80), Cancel);
        await busy.SendAsync("GET /echo?msg=x HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), Cancel);
        var answer = new byte[1000];
        await busy.ReceiveAsync(answer, Cancel);
        await busy.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"u8.ToArray(), Cancel);
        Assert.StartsWith("HTTP/1.1 100 Continue", Encoding.ASCII.GetString(answer, 0, await busy.ReceiveAsync(answer, Cancel)), StringComparison.Ordinal);

        // One that may not even have been accepted, and one in the middle of a request: neither waits for the grace period.
        var stopping = workload.StopAsync(TimeSpan.FromHours(1));
        Assert.Equal("", await ReadAllAsync(idle));
        await busy.SendAsync("abcd"u8.ToArray(), Cancel);
        Assert.EndsWith("\n\nabcd", await ReadAllAsync(busy), StringComparison.Ordinal);
        await stopping;
        Assert.Equal("", place.Run("ss", "-Hltn"));
    }

    [Fact]
    public async Task A_hundred_pods_add_no_threads()
    {
        await using var server = new WorkloadServer(TimeProvider.System);
        using var first = new Place();
        using var log = Log(first);
        await server.StartAsync(first.Pod, Plan("httpd"), log);
        var before = System.Diagnostics.Process.GetCurrentProcess().Threads.Count;
        var workloads = new List<Workload>();
        var networks = new List<NetworkNamespace>();
        for (var i = 0; i < 100; i++)
        {
            var network = NetworkNamespace.Create();
            networks.Add(network);
            workloads.Add(await server.StartAsync(first.Pod with { Network = network }, Plan("httpd"), log));
        }

        // Tests beside this one may start some of their own, but not a hundred.
        Assert.InRange(System.Diagnostics.Process.GetCurrentProcess().Threads.Count, 1, before + 50);
        foreach (var workload in workloads)
        {
            await workload.StopAsync(TimeSpan.Zero);
        }

        networks.ForEach(static network => network.Dispose());
    }

    private static ContainerLog Log(Place place) => new(place.Files + "/0.log", TimeProvider.System);

    private static WorkloadPlan Plan(string image, params ContainerPort[] ports) => WorkloadPlan.Of(new ContainerSpec("c", image, [], []) { Ports = ports });

    private static async Task<string[]> LinesAsync(ContainerLog log)
    {
        var text = new MemoryStream();
        await log.CopyAsync(new LogRequest("c", false, false, null, null, null, false), text, Cancel);
        return Encoding.UTF8.GetString(text.ToArray()).Split('\n');
    }

    private static async Task<string> ReadAllAsync(Socket socket)
    {
        var text = new MemoryStream();
        await new NetworkStream(socket).CopyToAsync(text, Cancel);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private static async Task<string> AskAsync(Socket udp, string question)
    {
        await udp.SendAsync(Encoding.UTF8.GetBytes(question), Cancel);
        var answer = new byte[1000];
        return Encoding.UTF8.GetString(answer, 0, await udp.ReceiveAsync(answer, Cancel));
    }
}
