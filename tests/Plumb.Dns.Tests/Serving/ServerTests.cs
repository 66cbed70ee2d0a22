using System.Diagnostics;
using System.Net.Sockets;
using Plumb.Dns.Forwarding;
using Plumb.Dns.Tests.Answering;
using Plumb.Dns.Tests.Forwarding;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Tests.Serving;

/// <summary>The server on real sockets, asked by dig and by hand.</summary>
public sealed class ServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dig_gets_answers_by_UDP_and_by_TCP()
    {
        await using var server = await RunningServer.StartAsync();
        Assert.Equal("10.96.14.7\n", await DigAsync(server, "+short", "website.default.svc.cluster.local"));
        Assert.Equal("10.96.14.7\n", await DigAsync(server, "+short", "+tcp", "website.default.svc.cluster.local"));
        Assert.Equal("10.96.14.7\n", await DigAsync(server, "+short", "+noedns", "website.default.svc.cluster.local"));
        Assert.Equal("\"1.1.0\"\n", await DigAsync(server, "+short", "dns-version.cluster.local", "TXT"));
        Assert.Equal("website.default.svc.cluster.local.\n", await DigAsync(server, "+short", "-x", "10.96.14.7"));
        Assert.Equal("0 100 80 website.default.svc.cluster.local.\n", await DigAsync(server, "+short", "_http._tcp.website.default.svc.cluster.local", "SRV"));
    }

    [Fact]
    public async Task Both_families_are_served_at_once_and_names_of_the_world_are_asked_over_either()
    {
        await using var upstream = FakeUpstream.Of("192.0.2.1", host: "::1");
        await using var server = await RunningServer.StartAsync(new ForwardOptions { Upstreams = [upstream.EndPoint] }, hasV6: true);
        Assert.Equal(AddressFamily.InterNetworkV6, server.EndPoint.AddressFamily);
        Assert.Equal("10.96.14.7\n", await DigAsync(server, "+short", "website.default.svc.cluster.local"));
        Assert.Equal("10.96.14.7\n", await DigAsync(server, "+short", "+tcp", "website.default.svc.cluster.local"));
        Assert.Equal("192.0.2.1\n", await DigAsync(server, "+short", "www.example.com"));
        Assert.Equal("192.0.2.1\n", await DigAsync(server, "+short", "+tcp", "www.example.com"));
    }

    [Fact]
    public async Task Dig_finds_nothing_to_complain_of()
    {
        await using var server = await RunningServer.StartAsync();
        foreach (var (arguments, status) in new (string[], string)[]
        {
            (["website.default.svc.cluster.local"], "NOERROR"),
            (["website.default.svc.cluster.local", "AAAA"], "NOERROR"),
            (["nothing.default.svc.cluster.local"], "NXDOMAIN"),
            (["website.default.svc.cluster.local.default.svc.cluster.local"], "NOERROR"),
            (["_broker._tcp.kafka.default.svc.cluster.local", "SRV"], "NOERROR"),
            (["cluster.local", "SOA"], "NOERROR"),
            (["website.default.svc.cluster.local", "ANY"], "NOERROR"),
            (["example.com"], "REFUSED"),
            (["version.bind", "CH", "TXT"], "REFUSED"),
            (["+noedns", "+opcode=notify", "cluster.local"], "NOTIMP"),
        })
        {
            // What dig thinks of the cluster's domain is not about the answer.
            var said = (await DigAsync(server, ["+norecurse", .. arguments])).Replace(";; WARNING: .local is reserved for Multicast DNS", "", StringComparison.Ordinal);
            Assert.Contains($"status: {status}", said, StringComparison.Ordinal);
            foreach (var complaint in new[] { "Warning", "extra bytes", "malformed", "bad", "mismatch" })
            {
                Assert.DoesNotContain(complaint, said, StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    [Fact]
    public async Task What_is_cut_by_UDP_dig_gets_whole_by_TCP()
    {
        await using var server = await RunningServer.StartAsync(zone: RequestTests.Zone(endpoints: 250));
        var said = await DigAsync(server, "+short", "kafka.default.svc.cluster.local");
        Assert.Equal(250, said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(static line => line.StartsWith("10.244.1.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Datagrams_of_any_kind_do_not_end_the_server()
    {
        await using var server = await RunningServer.StartAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server.EndPoint, Cancel);
        var random = new Random(3);
        for (var i = 0; i < 500; i++)
        {
            var datagram = new byte[i % 5 == 0 ? 0 : random.Next(2000)];
            random.NextBytes(datagram);
            await socket.SendAsync(datagram, Cancel);
        }
        Assert.Single((await server.AskAsync("website.default.svc.cluster.local")).Answers);
    }

    [Fact]
    public async Task Two_questions_over_one_connection_get_two_answers()
    {
        await using var server = await RunningServer.StartAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.EndPoint, Cancel);
        using var stream = new NetworkStream(socket);
        var request = Ask.Bytes("website.default.svc.cluster.local", RecordType.A);
        byte[] framed = [0, (byte)request.Length, .. request];
        // The second is cut in the middle: the rest comes later.
        await stream.WriteAsync((byte[])[.. framed, .. framed[..7]], Cancel);
        for (var i = 0; i < 2; i++)
        {
            var length = new byte[2];
            await stream.ReadExactlyAsync(length, Cancel);
            var answer = new byte[(length[0] << 8) | length[1]];
            await stream.ReadExactlyAsync(answer, Cancel);
            Assert.True(Message.TryRead(answer, out var message));
            Assert.Single(message!.Answers);
            await stream.WriteAsync(framed.AsMemory(7), Cancel);
        }
    }

    [Fact]
    public async Task Ten_thousand_questions_at_once_are_answered_or_lost_but_never_mixed_up()
    {
        await using var server = await RunningServer.StartAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        await socket.ConnectAsync(server.EndPoint, Cancel);
        var request = Ask.Bytes("website.default.svc.cluster.local", RecordType.A);
        var buffer = new byte[512];
        var answered = 0;
        for (var i = 0; i < 10_000; i++)
        {
            (request[0], request[1]) = ((byte)(i >> 8), (byte)i);
            await socket.SendAsync(request, Cancel);
            while (socket.Available > 0)
            {
                Assert.Equal(request.Length + 16, await socket.ReceiveAsync(buffer, Cancel));
                answered++;
            }
        }
        Assert.True(answered > 0);
    }

    [Fact]
    public async Task A_server_that_has_ended_gives_its_port_back()
    {
        var server = await RunningServer.StartAsync();
        var port = server.EndPoint;
        await server.AskAsync("website.default.svc.cluster.local");
        await server.DisposeAsync();
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(port);
    }

    internal static async Task<string> DigAsync(RunningServer server, params string[] arguments)
    {
        using var dig = Process.Start(new ProcessStartInfo("dig", ["@" + server.EndPoint.Address, "-p", $"{server.EndPoint.Port}", "+tries=1", "+time=20", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var said = await dig.StandardOutput.ReadToEndAsync();
        await dig.WaitForExitAsync();
        return said;
    }
}
