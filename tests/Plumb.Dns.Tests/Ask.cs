using System.Buffers.Binary;
using Plumb.Dns.Answering;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Tests;

/// <summary>Requests as clients make them, and answers as they read them.</summary>
internal static class Ask
{
    public const ushort Id = 0x1234;

    /// <param name="ednsBytes">Null: without EDNS.</param>
    public static byte[] Bytes(string name, RecordType type, int? ednsBytes = null, bool recursion = true)
    {
        var request = new List<byte> { Id >> 8, Id & 0xff, recursion ? (byte)1 : (byte)0, 0, 0, 1, 0, 0, 0, 0, 0, ednsBytes is null ? (byte)0 : (byte)1 };
        request.AddRange(DomainName.Parse(name).Wire);
        request.AddRange([(byte)((ushort)type >> 8), (byte)type, 0, 1]);
        if (ednsBytes is { } bytes)
        {
            request.AddRange([0, 0, 41, (byte)(bytes >> 8), (byte)bytes, 0, 0, 0, 0, 0, 0]);
        }
        return [.. request];
    }

    public static byte[]? Raw(AnswerEngine engine, byte[] request, bool isUdp = true)
    {
        var to = new byte[ushort.MaxValue];
        return engine.Answer(request, to, isUdp, out var written) == Outcome.Answered ? to[..written] : null;
    }

    public static Message Read(AnswerEngine engine, byte[] request, bool isUdp = true)
    {
        var answer = Raw(engine, request, isUdp);
        Assert.NotNull(answer);
        Assert.True(Message.TryRead(answer, out var message), Convert.ToHexString(answer));
        Assert.Equal(BinaryPrimitives.ReadUInt16BigEndian(request), message!.Id);
        return message;
    }

    public static Message Read(AnswerEngine engine, string name, RecordType type) => Read(engine, Bytes(name, type));
}
