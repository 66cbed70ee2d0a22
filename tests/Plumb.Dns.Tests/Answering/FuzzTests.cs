using Plumb.Dns.Answering;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Tests.Answering;

/// <summary>Bytes of every kind: what comes out is silence or a message that can be read.</summary>
public sealed class FuzzTests
{
    private const int Rounds = 1_000_000;

    private static readonly byte[][] Seeds =
    [
        Ask.Bytes("website.default.svc.cluster.local", RecordType.A),
        Ask.Bytes("_broker._tcp.kafka.default.svc.cluster.local", RecordType.Srv, ednsBytes: 1232),
        Ask.Bytes("kafka-1.kafka.default.other.svc.cluster.local", RecordType.Any, ednsBytes: 512),
        Ask.Bytes("10-244-1-5.default.pod.cluster.local", RecordType.A),
        Ask.Bytes("7.14.96.10.in-addr.arpa", RecordType.Ptr),
        Ask.Bytes("www.example.com.default.svc.cluster.local", RecordType.Aaaa, ednsBytes: 4096),
        Ask.Bytes(".", RecordType.Ns),
    ];

    [Fact]
    public void A_million_mutated_requests_get_an_answer_or_silence()
    {
        var engine = new AnswerEngine(RequestTests.Zone(endpoints: 50)) { Forwards = true };
        var random = new Random(12);
        var (request, answer) = (new byte[600], new byte[1232]);
        var outcomes = new int[3];
        var codes = new HashSet<int>();
        for (var i = 0; i < Rounds; i++)
        {
            var length = Mutate(Seeds[random.Next(Seeds.Length)], request, random);
            var outcome = engine.Answer(request.AsSpan(0, length), answer, isUdp: true, out var written);
            outcomes[(int)outcome]++;
            if (outcome == Outcome.Answered)
            {
                codes.Add(answer[3] & 15);
                // Reading allocates: every hundredth is enough to show that what is written can be read.
                if (written < Header.Bytes
                    || !request.AsSpan(0, 2).SequenceEqual(answer.AsSpan(0, 2))
                    || (i % 100 == 0 && !Message.TryRead(answer.AsSpan(0, written), out _)))
                {
                    Assert.Fail($"{Convert.ToHexString(request, 0, length)} was answered {Convert.ToHexString(answer, 0, written)}");
                }
            }
        }
        // The mutations reached all ways out, and not the first check only.
        Assert.DoesNotContain(0, outcomes);
        Assert.Superset(new HashSet<int> { 0, 1, 3, 4, 5 }, codes);
    }

    [Fact]
    public void A_hundred_thousand_mutated_answers_are_read_or_not()
    {
        var engine = new AnswerEngine(RequestTests.Zone(endpoints: 8));
        byte[][] seeds = [.. Seeds.Select(seed => Ask.Raw(engine, seed)!)];
        var random = new Random(13);
        var message = new byte[1400];
        var read = 0;
        for (var i = 0; i < Rounds / 10; i++)
        {
            var length = Mutate(seeds[random.Next(seeds.Length)], message, random);
            read += Message.TryRead(message.AsSpan(0, length), out var found) ? 1 : 0;
            foreach (var record in found?.Answers ?? [])
            {
                Assert.NotEmpty(record.ToString());
            }
        }
        Assert.InRange(read, 1, (Rounds / 10) - 1);
    }

    /// <summary>Changes a few bytes, cuts, repeats, appends, or leaves nothing as it was.</summary>
    private static int Mutate(byte[] seed, byte[] to, Random random)
    {
        seed.CopyTo(to, 0);
        var length = seed.Length;
        for (var times = random.Next(1, 5); times > 0; times--)
        {
            switch (random.Next(8))
            {
                case 0 when length > 0:
                    length = random.Next(length);
                    break;
                case 1:
                    length = Math.Min(to.Length, length + random.Next(1, 40));
                    random.NextBytes(to.AsSpan(Math.Max(0, length - 40), Math.Min(40, length)));
                    break;
                case 2 when length > 20:
                    var from = random.Next(length - 10);
                    to.AsSpan(from, 10).CopyTo(to.AsSpan(random.Next(length - 10)));
                    break;
                case 3 when length > 12:
                    // A pointer somewhere, to somewhere.
                    var at = random.Next(12, length);
                    to[at] = (byte)(0xc0 | random.Next(4));
                    break;
                case 4 when random.Next(50) == 0:
                    random.NextBytes(to);
                    length = random.Next(to.Length);
                    break;
                case 5 when length > 12:
                    to[random.Next(12)] = (byte)random.Next(3);
                    break;
                default:
                    if (length > 0)
                    {
                        to[random.Next(length)] = (byte)random.Next(256);
                    }
                    break;
            }
        }
        return length;
    }
}
