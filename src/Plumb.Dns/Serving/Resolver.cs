using System.Net;
using Plumb.Dns.Answering;
using Plumb.Dns.Forwarding;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Serving;

/// <summary>The cluster's names and others': at once where it can be, later where others must be asked.</summary>
internal sealed class Resolver(AnswerEngine engine, Forwarder forwarder)
{
    /// <summary>Answers, unless others have to be asked. Allocates nothing.</summary>
    public Outcome Answer(ReadOnlySpan<byte> request, Span<byte> to, bool isUdp, out int written)
    {
        var outcome = engine.Answer(request, to, isUdp, out written);
        if (outcome != Outcome.Forward)
        {
            return outcome;
        }
        Span<byte> lower = stackalloc byte[WireName.MostBytes];
        Span<byte> scratch = stackalloc byte[WireName.MostBytes];
        var query = Query.Read(request, lower);
        var found = engine.Finder.Find(query.Name, query.Type, scratch);
        if (found.Kind != FindingKind.Outside)
        {
            // The cluster has come to know the name since.
            return engine.Answer(request, to, isUdp, out written);
        }
        if (forwarder.Find(found.Target, query, out var age) is not { } known)
        {
            return Outcome.Forward;
        }
        written = Write(query, found, known, age, Limit(to, query, isUdp));
        return Outcome.Answered;
    }

    /// <summary>Answers a request for which others have to be asked.</summary>
    /// <returns>Bytes written; 0: nothing is to be said.</returns>
    public async Task<int> AnswerLaterAsync(ReadOnlyMemory<byte> request, Memory<byte> to, bool isUdp, IPAddress asker)
    {
        if (QuestionOf(request.Span) is not { } question)
        {
            return engine.Answer(request.Span, to.Span, isUdp, out var written) == Outcome.Answered ? written : 0;
        }
        var answer = await forwarder.AskAsync(question, asker);
        return Write(request.Span, to.Span, isUdp, answer);
    }

    private ForeignQuestion? QuestionOf(ReadOnlySpan<byte> request)
    {
        Span<byte> lower = stackalloc byte[WireName.MostBytes];
        Span<byte> scratch = stackalloc byte[WireName.MostBytes];
        var query = Query.Read(request, lower);
        var found = engine.Finder.Find(query.Name, query.Type, scratch);
        return found.Kind == FindingKind.Outside ? Forwarder.QuestionOf(found.Target, query) : null;
    }

    private int Write(ReadOnlySpan<byte> request, Span<byte> to, bool isUdp, ForeignAnswer answer)
    {
        Span<byte> lower = stackalloc byte[WireName.MostBytes];
        Span<byte> scratch = stackalloc byte[WireName.MostBytes];
        var query = Query.Read(request, lower);
        var found = engine.Finder.Find(query.Name, query.Type, scratch);
        if (found.Kind != FindingKind.Outside)
        {
            return engine.Answer(request, to, isUdp, out var written) == Outcome.Answered ? written : 0;
        }
        return Write(query, found, answer, ageSeconds: 0, Limit(to, query, isUdp));
    }

    private int Write(in Query query, in Finding found, ForeignAnswer answer, uint ageSeconds, Span<byte> to)
    {
        if (answer.Code is not (ResponseCode.NoError or ResponseCode.NoSuchName))
        {
            // A name that was only perhaps meant so is missing here, whatever others say; the client asks them itself next.
            return found.Completed.Length != 0 && found.Hops == 0 ? engine.WriteMissing(query, to) : engine.Refuse(query, to, answer.Code);
        }
        if (answer.Code == ResponseCode.NoSuchName && found.Completed.Length != 0 && found.Hops == 0)
        {
            return engine.WriteMissing(query, to);
        }
        var writer = new MessageWriter(query, to, engine.Recursion);
        engine.WriteWay(ref writer, query, found);
        answer.Write(ref writer, ageSeconds);
        return writer.Finish();
    }

    private static Span<byte> Limit(Span<byte> to, in Query query, bool isUdp) => isUdp ? to[..Math.Min(to.Length, AnswerEngine.UdpBytes(query))] : to;
}
