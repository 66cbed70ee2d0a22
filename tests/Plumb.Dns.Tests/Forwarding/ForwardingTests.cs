using System.Net;
using System.Net.Sockets;
using Plumb.Dns.Forwarding;
using Plumb.Dns.Tests.Serving;
using Plumb.Dns.Wire;
using Plumb.Kubernetes.Objects;

namespace Plumb.Dns.Tests.Forwarding;

/// <summary>Others' names: asked for once, remembered, and never taken from the wrong one.</summary>
public sealed class ForwardingTests
{
    private const string Name = "WWW.example.com";

    [Fact]
    public async Task An_answer_is_passed_on_and_remembered_while_it_ages()
    {
        await using var upstream = FakeUpstream.Of("192.0.2.1", ttlSeconds: 60);
        var time = new ShiftedTime();
        await using var server = await RunningServer.StartAsync(To(upstream), time);
        var first = await server.AskAsync(Name);
        Assert.Equal($"{Name}. 60 IN A 192.0.2.1", Assert.Single(first.Answers).ToString());
        Assert.Equal(Header.RecursionAvailable, first.Flags & (Header.RecursionAvailable | Header.Authoritative));
        time.Pass(TimeSpan.FromSeconds(20));
        var later = Assert.Single((await server.AskAsync("www.example.COM")).Answers);
        Assert.InRange(later.TtlSeconds, 30u, 40u);
        Assert.Equal("www.example.COM.", DomainName.FromWire(later.Owner).ToString());
        Assert.Equal(1, upstream.Asked);
        time.Pass(TimeSpan.FromSeconds(41));
        Assert.Equal(60u, Assert.Single((await server.AskAsync(Name)).Answers).TtlSeconds);
        Assert.Equal(2, upstream.Asked);
    }

    [Theory]
    [InlineData(ResponseCode.NoSuchName)]
    [InlineData(ResponseCode.NoError)]
    public async Task That_there_is_nothing_is_remembered_for_as_long_as_the_SOA_says(ResponseCode code)
    {
        await using var upstream = new FakeUpstream((_, request, _) => [FakeUpstream.Missing(request, 30, code)]);
        var time = new ShiftedTime();
        await using var server = await RunningServer.StartAsync(To(upstream), time);
        for (var i = 0; i < 3; i++)
        {
            var answer = await server.AskAsync(Name);
            Assert.Equal((int)code, answer.Code);
            Assert.Equal(RecordType.Soa, Assert.Single(answer.Authorities).Type);
        }
        Assert.Equal(1, upstream.Asked);
        time.Pass(TimeSpan.FromSeconds(31));
        await server.AskAsync(Name);
        Assert.Equal(2, upstream.Asked);
    }

    [Fact]
    public async Task A_wrong_id_a_wrong_question_and_garbage_are_passed_over()
    {
        await using var upstream = new FakeUpstream((_, request, _) =>
        {
            var right = FakeUpstream.Answer(request, 60, "192.0.2.1");
            var wrong = FakeUpstream.Answer(request, 60, "192.0.2.66");
            byte[] otherId = [(byte)(wrong[0] ^ 1), .. wrong[1..]];
            byte[] otherName = [.. wrong[..13], (byte)'x', .. wrong[14..]];
            byte[] question = [.. wrong[..2], (byte)(wrong[2] & 0x7f), .. wrong[3..]];
            return [otherId, otherName, question, [1, 2, 3], [], right];
        });
        await using var server = await RunningServer.StartAsync(To(upstream));
        Assert.Equal([192, 0, 2, 1], Assert.Single((await server.AskAsync(Name)).Answers).Data);
    }

    [Fact]
    public async Task An_answer_from_another_address_is_passed_over()
    {
        using var liar = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        liar.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.66"), 0));
        await using var upstream = new FakeUpstream((self, request, _) =>
        {
            // Sent before the true one, with the right id.
            liar.SendTo(FakeUpstream.Answer(request, 60, "192.0.2.66"), self.LastAsker!);
            return [FakeUpstream.Answer(request, 60, "192.0.2.1")];
        });
        await using var server = await RunningServer.StartAsync(To(upstream));
        Assert.Equal([192, 0, 2, 1], Assert.Single((await server.AskAsync(Name)).Answers).Data);
    }

    [Fact]
    public async Task A_silent_server_and_one_that_is_not_there_cost_the_next_ones_time_only()
    {
        await using var silent = FakeUpstream.Silent();
        await using var failing = new FakeUpstream((_, request, _) => [FakeUpstream.Missing(request, 1, ResponseCode.ServerFailure)], "127.0.0.3");
        var gone = new FakeUpstream((_, _, _) => [], "127.0.0.4");
        await gone.DisposeAsync();
        await using var good = new FakeUpstream((_, request, _) => [FakeUpstream.Answer(request, 60, "192.0.2.1")], "127.0.0.5");
        await using var server = await RunningServer.StartAsync(To(silent, failing, gone, good) with { Patience = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromSeconds(20) });
        Assert.Equal((int)ResponseCode.NoError, (await server.AskAsync(Name)).Code);
        Assert.Equal(1, good.Asked);
    }

    [Fact]
    public async Task When_nobody_answers_the_asker_is_told_so_and_the_cluster_goes_on()
    {
        await using var silent = FakeUpstream.Silent();
        await using var server = await RunningServer.StartAsync(To(silent) with { Patience = TimeSpan.FromMilliseconds(20), Deadline = TimeSpan.FromMilliseconds(200) });
        var waiting = server.AskAsync(Name);
        Assert.Single((await server.AskAsync("website.default.svc.cluster.local")).Answers);
        Assert.Equal((int)ResponseCode.ServerFailure, (await waiting).Code);
        // A name that was only perhaps meant so is missing, whatever others would have said.
        Assert.Equal((int)ResponseCode.NoSuchName, (await server.AskAsync("a.example.default.svc.cluster.local")).Code);
    }

    [Fact]
    public async Task What_does_not_fit_a_datagram_is_fetched_by_TCP()
    {
        string[] many = [.. Enumerable.Range(0, 100).Select(static i => $"192.0.2.{i}")];
        await using var upstream = new FakeUpstream((_, request, isUdp) =>
        {
            if (!isUdp)
            {
                return [FakeUpstream.Answer(request, 60, many)];
            }
            var cut = FakeUpstream.Answer(request, 60);
            cut[2] |= 2;
            return [cut];
        });
        await using var server = await RunningServer.StartAsync(To(upstream));
        var answer = await server.AskAsync(Name);
        Assert.True(answer.IsTruncated);
        var said = await ServerTests.DigAsync(server, "+short", Name);
        Assert.Equal(100, said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(static line => line.StartsWith("192.0.2.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_server_from_before_EDNS_is_asked_without()
    {
        await using var upstream = new FakeUpstream((_, request, _) =>
            [request[11] != 0 ? [.. request[..2], 0x81, 0x81, .. new byte[8]] : FakeUpstream.Answer(request, 60, "192.0.2.1")]);
        await using var server = await RunningServer.StartAsync(To(upstream));
        Assert.Single((await server.AskAsync(Name)).Answers);
    }

    [Fact]
    public async Task A_domain_with_servers_of_its_own_is_asked_for_there()
    {
        await using var world = FakeUpstream.Of("192.0.2.1");
        await using var own = new FakeUpstream((_, request, _) => [FakeUpstream.Answer(request, 60, "192.0.2.2")], "127.0.0.3");
        await using var deeper = new FakeUpstream((_, request, _) => [FakeUpstream.Answer(request, 60, "192.0.2.3")], "127.0.0.4");
        await using var server = await RunningServer.StartAsync(To(world) with
        {
            StubDomains = [new StubDomain(DomainName.Parse("Corp.example"), [own.EndPoint]), new StubDomain(DomainName.Parse("lab.corp.example"), [deeper.EndPoint])],
        });
        Assert.Equal(2, Assert.Single((await server.AskAsync("a.corp.example")).Answers).Data[3]);
        Assert.Equal(3, Assert.Single((await server.AskAsync("a.lab.CORP.example")).Answers).Data[3]);
        Assert.Equal(1, Assert.Single((await server.AskAsync("corp.example.com")).Answers).Data[3]);
        Assert.Equal(1, Assert.Single((await server.AskAsync("a.mycorp.example")).Answers).Data[3]);
    }

    [Fact]
    public async Task Many_who_ask_the_same_are_one_question()
    {
        var release = new TaskCompletionSource();
        await using var upstream = new FakeUpstream((_, request, _) =>
        {
            release.Task.Wait();
            return [FakeUpstream.Answer(request, 60, "192.0.2.1")];
        });
        await using var server = await RunningServer.StartAsync(To(upstream) with { Patience = TimeSpan.FromSeconds(30), Deadline = TimeSpan.FromSeconds(30) });
        var asked = Enumerable.Range(0, 50).Select(_ => server.AskAsync(Name)).ToList();
        // A question of the cluster's behind them all: when it is answered, they have been taken.
        await server.AskAsync("website.default.svc.cluster.local");
        release.SetResult();
        Assert.All(await Task.WhenAll(asked), static answer => Assert.Single(answer.Answers));
        Assert.Equal(1, upstream.Asked);
    }

    [Fact]
    public async Task A_question_that_comes_back_from_whom_it_was_sent_to_is_a_loop_and_ends()
    {
        RunningServer? server = null;
        await using var upstream = new FakeUpstream((self, request, _) =>
        {
            // As a forwarder whose upstream is this server: asks it, from its own address.
            using var back = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            back.Bind(new IPEndPoint(self.EndPoint.Address, 0));
            back.SendTo(request, server!.EndPoint);
            var buffer = new byte[512];
            back.ReceiveTimeout = 20_000;
            return [buffer[..back.Receive(buffer)]];
        });
        await using (server = await RunningServer.StartAsync(To(upstream) with { Deadline = TimeSpan.FromSeconds(20) }))
        {
            Assert.Equal((int)ResponseCode.ServerFailure, (await server.AskAsync(Name)).Code);
        }
    }

    [Fact]
    public async Task An_answer_that_is_much_asked_for_is_fetched_anew_before_it_ends()
    {
        await using var upstream = FakeUpstream.Of("192.0.2.1", ttlSeconds: 60);
        var time = new ShiftedTime();
        await using var server = await RunningServer.StartAsync(To(upstream), time);
        for (var i = 0; i < 4; i++)
        {
            await server.AskAsync(Name);
        }
        Assert.Equal(1, upstream.Asked);
        time.Pass(TimeSpan.FromSeconds(55));
        // Answered at once from what is remembered; the new one comes in meanwhile.
        Assert.InRange(Assert.Single((await server.AskAsync(Name)).Answers).TtlSeconds, 1u, 5u);
        while (Assert.Single((await server.AskAsync(Name)).Answers).TtlSeconds < 50)
        {
            await Task.Yield();
        }
        Assert.Equal(2, upstream.Asked);
    }

    [Fact]
    public async Task An_external_Service_is_followed_to_others()
    {
        await using var upstream = FakeUpstream.Of("192.0.2.1");
        await using var server = await RunningServer.StartAsync(To(upstream));
        server.Zone.Set(new Service
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = "database" },
            Spec = new ServiceSpec { Type = "ExternalName", ExternalName = "db.example.com" },
        });
        for (var i = 0; i < 2; i++)
        {
            var answer = await server.AskAsync("database.default.svc.cluster.local");
            Assert.Equal(["database.default.svc.cluster.local. 5 IN CNAME db.example.com.", "db.example.com. 60 IN A 192.0.2.1"], answer.Answers.Select(static r => r.ToString()));
        }
        Assert.Equal(1, upstream.Asked);
    }

    [Fact]
    public async Task The_first_try_of_a_search_path_is_answered_with_a_name_of_others()
    {
        await using var upstream = new FakeUpstream(static (_, request, _) =>
        {
            Assert.True(Message.TryRead(request, out var asked));
            return [asked!.Question == DomainName.Parse("www.example.com") ? FakeUpstream.Answer(request, 60, "192.0.2.1") : FakeUpstream.Missing(request, 30)];
        });
        await using var server = await RunningServer.StartAsync(To(upstream));
        var answer = await server.AskAsync("www.example.com.default.svc.cluster.local");
        Assert.Equal(
            ["www.example.com.default.svc.cluster.local. 5 IN CNAME www.example.com.", "www.example.com. 60 IN A 192.0.2.1"],
            answer.Answers.Select(static r => r.ToString()));
        var missing = await server.AskAsync("nothing.example.com.default.svc.cluster.local");
        Assert.Equal((int)ResponseCode.NoSuchName, missing.Code);
        Assert.Empty(missing.Answers);
        Assert.Equal("cluster.local.", DomainName.FromWire(Assert.Single(missing.Authorities).Owner).ToString());
    }

    [Fact]
    public void A_cache_that_is_full_makes_room_and_keeps_to_its_size()
    {
        var options = new ForwardOptions { CacheEntries = 64 };
        var cache = new AnswerCache(options.CacheEntries, TimeProvider.System);
        var answer = ForeignAnswer.Failure(options, TimeProvider.System.GetTimestamp());
        var key = new byte[AnswerCache.MostKeyBytes];
        var kept = 0;
        for (var i = 0; i < 1000; i++)
        {
            cache.Put(AnswerCache.Key(DomainName.Parse($"n{i}").Wire, RecordType.A, false, false, key).ToArray(), answer);
        }
        for (var i = 0; i < 1000; i++)
        {
            kept += cache.Find(AnswerCache.Key(DomainName.Parse($"n{i}").Wire, RecordType.A, false, false, key), out _) is null ? 0 : 1;
        }
        Assert.InRange(kept, 32, 64);
    }

    [Fact]
    public void The_upstreams_of_a_resolver_file_do_not_include_this_server() => Assert.Equal(
        [new IPEndPoint(IPAddress.Parse("192.0.2.53"), 53), new IPEndPoint(IPAddress.Parse("2001:db8::53"), 53)],
        ForwardOptions.Servers("# comment\nnameserver 192.0.2.53\nnameserver 10.96.0.10\nnameserver nonsense\nnameserver 2001:db8::53\noptions ndots:5\n", [IPAddress.Parse("10.96.0.10")]));

    private static ForwardOptions To(params FakeUpstream[] upstreams) => new() { Upstreams = [.. upstreams.Select(static u => u.EndPoint)] };
}
