using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Objects;

namespace Plumb.Dns.Tests.Answering;

/// <summary>Requests that are not as they should be, and limits of answers.</summary>
public sealed class RequestTests
{
    private const string Website = "website.default.svc.cluster.local";

    private readonly AnswerEngine _engine = new(Zone());

    [Fact]
    public void What_has_no_header_is_met_with_silence()
    {
        var request = Ask.Bytes(Website, RecordType.A);
        for (var length = 0; length < 12; length++)
        {
            Assert.Null(Ask.Raw(_engine, request[..length]));
        }
        Assert.NotNull(Ask.Raw(_engine, request[..12]));
    }

    [Fact]
    public void An_answer_is_not_answered()
    {
        var request = Ask.Bytes(Website, RecordType.A);
        request[2] |= 0x80;
        Assert.Null(Ask.Raw(_engine, request));
    }

    [Fact]
    public void A_request_cut_anywhere_behind_its_header_is_a_format_error()
    {
        var request = Ask.Bytes(Website, RecordType.A, ednsBytes: 1232);
        for (var length = 12; length < request.Length; length++)
        {
            Assert.Equal((int)ResponseCode.FormatError, Ask.Read(_engine, request[..length]).Code);
        }
    }

    [Theory]
    [InlineData("garbage behind the message")]
    [InlineData("no question")]
    [InlineData("two questions")]
    [InlineData("an answer in the request")]
    [InlineData("a pointer for a name")]
    [InlineData("a label of 64 bytes")]
    [InlineData("a name of 256 bytes")]
    [InlineData("two OPT records")]
    [InlineData("an OPT record with a name")]
    [InlineData("OPT in question")]
    public void A_request_that_cannot_be_read_is_a_format_error(string how)
    {
        var plain = Ask.Bytes(Website, RecordType.A);
        var edns = Ask.Bytes(Website, RecordType.A, ednsBytes: 1232);
        byte[] opt = edns[^11..];
        byte[] request = how switch
        {
            "garbage behind the message" => [.. plain, 0],
            "no question" => [.. plain[..5], 0, .. plain[6..12]],
            "two questions" => [.. plain[..5], 2, .. plain[6..], .. plain[12..]],
            "an answer in the request" => [.. plain[..7], 1, .. plain[8..], .. opt],
            "a pointer for a name" => [.. plain[..12], 0xc0, 12, 0, 1, 0, 1],
            "a label of 64 bytes" => [.. plain[..12], 64, .. new byte[64].Select(static _ => (byte)'a'), 0, 0, 1, 0, 1],
            "a name of 256 bytes" => [.. plain[..12], .. Enumerable.Repeat((byte[])[1, (byte)'a'], 127).SelectMany(static l => l), 1, 0, 0, 1, 0, 1],
            "two OPT records" => [.. edns[..11], 2, .. edns[12..], .. opt],
            "an OPT record with a name" => [.. edns[..^11], 1, (byte)'a', .. opt],
            _ => Ask.Bytes(Website, RecordType.Opt),
        };
        Assert.Equal((int)ResponseCode.FormatError, Ask.Read(_engine, request).Code);
    }

    [Fact]
    public void A_name_of_255_bytes_is_looked_up()
    {
        var name = string.Join('.', Enumerable.Repeat("a", 120)) + ".cluster.local";
        Assert.Equal(255, DomainName.Parse(name).Wire.Length);
        Assert.Equal((int)ResponseCode.NoSuchName, Ask.Read(_engine, name, RecordType.A).Code);
    }

    [Fact]
    public void Other_opcodes_are_not_implemented()
    {
        var request = Ask.Bytes(Website, RecordType.A);
        request[2] = 0x28;
        var answer = Ask.Read(_engine, request);
        Assert.Equal((int)ResponseCode.NotImplemented, answer.Code);
        Assert.Equal(0x2800, answer.Flags & 0x7800);
    }

    [Fact]
    public void Other_classes_and_zone_transfers_are_refused()
    {
        var chaos = Ask.Bytes("version.bind", RecordType.Txt);
        chaos[^1] = 3;
        Assert.Equal((int)ResponseCode.Refused, Ask.Read(_engine, chaos).Code);
        Assert.Equal((int)ResponseCode.Refused, Ask.Read(_engine, "cluster.local", RecordType.Axfr).Code);
        Assert.Equal((int)ResponseCode.Refused, Ask.Read(_engine, "cluster.local", RecordType.Ixfr).Code);
    }

    [Fact]
    public void Another_version_of_EDNS_is_told_so()
    {
        var request = Ask.Bytes(Website, RecordType.A, ednsBytes: 1232);
        request[^5] = 1;
        var answer = Ask.Read(_engine, request);
        Assert.Equal((int)ResponseCode.BadVersion, answer.Code);
        Assert.Equal(1232, answer.UdpBytes);
    }

    [Fact]
    public void An_answer_has_EDNS_when_the_request_has()
    {
        Assert.Null(Ask.Read(_engine, Ask.Bytes(Website, RecordType.A)).UdpBytes);
        Assert.Equal(1232, Ask.Read(_engine, Ask.Bytes(Website, RecordType.A, ednsBytes: 4096)).UdpBytes);
    }

    [Fact]
    public void The_question_comes_back_in_the_case_in_which_it_was_asked()
    {
        const string asked = "WebSite.DEFAULT.svc.Cluster.local";
        var answer = Ask.Read(_engine, asked, RecordType.A);
        Assert.Equal(asked + ".", answer.Question.ToString());
        Assert.Equal(asked + ".", DomainName.FromWire(Assert.Single(answer.Answers).Owner).ToString());
    }

    [Fact]
    public void The_answer_is_authoritative_and_says_whether_others_can_be_asked()
    {
        var answer = Ask.Read(_engine, Website, RecordType.A);
        Assert.Equal(Header.Response | Header.Authoritative | Header.RecursionDesired, answer.Flags & 0xfff0);
        var forwards = new AnswerEngine(_engine.Zone) { Forwards = true };
        Assert.NotEqual(0, Ask.Read(forwards, Website, RecordType.A).Flags & Header.RecursionAvailable);
        Assert.Equal(Outcome.Forward, forwards.Answer(Ask.Bytes("example.com", RecordType.A), new byte[512], true, out _));
        Assert.Equal((int)ResponseCode.Refused, Ask.Read(forwards, Ask.Bytes("example.com", RecordType.A, recursion: false)).Code);
    }

    [Theory]
    [InlineData(null, 512, 28)]
    [InlineData(100, 512, 28)]
    [InlineData(700, 700, 40)]
    [InlineData(4096, 1232, 73)]
    public void What_does_not_fit_a_datagram_is_cut_and_says_so(int? ednsBytes, int mostBytes, int records)
    {
        var engine = new AnswerEngine(Zone(endpoints: 200));
        var request = Ask.Bytes("kafka.default.svc.cluster.local", RecordType.A, ednsBytes);
        Assert.True(Ask.Raw(engine, request)!.Length <= mostBytes);
        var answer = Ask.Read(engine, request);
        Assert.True(answer.IsTruncated);
        Assert.Equal(records, answer.Answers.Count);
        var whole = Ask.Read(engine, request, isUdp: false);
        Assert.False(whole.IsTruncated);
        Assert.Equal(200, whole.Answers.Count);
    }

    [Fact]
    public void Additional_records_that_do_not_fit_cost_the_answer_nothing()
    {
        var engine = new AnswerEngine(Zone(endpoints: 10));
        var request = Ask.Bytes("_broker._tcp.kafka.default.svc.cluster.local", RecordType.Srv, 700);
        var answer = Ask.Read(engine, request);
        Assert.False(answer.IsTruncated);
        Assert.Equal(10, answer.Answers.Count);
        Assert.InRange(answer.Additionals.Count, 0, 9);
        Assert.Equal(10, Ask.Read(engine, request, isUdp: false).Additionals.Count);
    }

    [Fact]
    public void Each_asker_finds_another_endpoint_first()
    {
        var engine = new AnswerEngine(Zone(endpoints: 5));
        var first = Enumerable.Range(0, 5).Select(_ => Ask.Read(engine, "kafka.default.svc.cluster.local", RecordType.A).Answers[0].Data[3]).ToHashSet();
        Assert.Equal(5, first.Count);
    }

    [Fact]
    public void An_ordinary_question_allocates_nothing()
    {
        var to = new byte[1232];
        foreach (var (name, type) in new[]
        {
            (Website, RecordType.A), (Website, RecordType.Aaaa), ("nothing.default.svc.cluster.local", RecordType.A),
            ("website.default.svc.cluster.local.default.svc.cluster.local", RecordType.A), ("_http._tcp.website.default.svc.cluster.local", RecordType.Srv),
            ("10-244-1-5.default.pod.cluster.local", RecordType.A), ("example.com", RecordType.A),
        })
        {
            var request = Ask.Bytes(name, type, ednsBytes: 1232);
            for (var i = 0; i < 100; i++)
            {
                _engine.Answer(request, to, true, out _);
            }
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
            {
                _engine.Answer(request, to, true, out _);
            }
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1000, $"{name} {type}");
        }
    }

    internal static ClusterZone Zone(int endpoints = 1)
    {
        var zone = new ClusterZone(ZoneOptions.Default);
        zone.Set(new Service
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = "website" },
            Spec = new ServiceSpec { ClusterIP = "10.96.14.7", Ports = [new ServicePort { Name = "http", Port = 80 }] },
        });
        zone.Set(new Service
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = "kafka" },
            Spec = new ServiceSpec { ClusterIP = "None", Ports = [new ServicePort { Name = "broker", Port = 9092 }] },
        });
        zone.Set(new EndpointSlice
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = "kafka-x7k2p", Labels = new Dictionary<string, string> { [EndpointSlice.ServiceNameLabel] = "kafka" } },
            AddressType = "IPv4",
            Ports = [new EndpointPort { Name = "broker", Port = 9092 }],
            Endpoints = [.. Enumerable.Range(0, endpoints).Select(static i => new Endpoint { Addresses = [$"10.244.1.{i}"], Hostname = $"kafka-{i}" })],
        });
        return zone;
    }
}
