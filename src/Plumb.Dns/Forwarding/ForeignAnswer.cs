using Plumb.Dns.Wire;

namespace Plumb.Dns.Forwarding;

/// <summary>What others said to a question, without anything that belongs to their message: it is written anew for each asker.</summary>
internal sealed class ForeignAnswer
{
    private readonly ForeignRecord[] _answers;
    private readonly ForeignRecord[] _authorities;
    private int _askers;
    private int _refreshing;

    private ForeignAnswer(ResponseCode code, ForeignRecord[] answers, ForeignRecord[] authorities, uint ttlSeconds, long at)
    {
        Code = code;
        _answers = answers;
        _authorities = authorities;
        TtlSeconds = ttlSeconds;
        At = at;
    }

    public ResponseCode Code { get; }

    /// <summary>For how long it holds from <see cref="At"/> on.</summary>
    public uint TtlSeconds { get; }

    /// <summary>When it came, as the time provider's timestamp.</summary>
    public long At { get; }

    /// <summary>What there is, is there under another type or not at all.</summary>
    public bool IsEmpty => _answers.Length == 0;

    public static ForeignAnswer Failure(ForwardOptions options, long at) => new(ResponseCode.ServerFailure, [], [], options.FailureTtlSeconds, at);

    public static ForeignAnswer Of(Message message, ForwardOptions options, long at)
    {
        var isPositive = message.Code == (int)ResponseCode.NoError && message.Answers.Count != 0;
        var ttl = isPositive ? options.MostTtlSeconds : NegativeTtl(message, options);
        foreach (var record in isPositive ? message.Answers : [])
        {
            ttl = Math.Min(ttl, record.TtlSeconds);
        }
        return new ForeignAnswer((ResponseCode)message.Code, [.. message.Answers], [.. message.Authorities.Where(a => !isPositive && a.Type == RecordType.Soa)], ttl, at);
    }

    public uint AgeSeconds(TimeProvider time) => (uint)Math.Min(time.GetElapsedTime(At).TotalSeconds, uint.MaxValue);

    /// <summary>Whether it is much asked for and about to end, and nobody else has gone to ask anew.</summary>
    public bool TryBeginRefresh(uint ageSeconds)
    {
        const int worthIt = 3;
        const uint lastPart = 10;
        return Interlocked.Increment(ref _askers) >= worthIt
            && TtlSeconds - ageSeconds <= TtlSeconds / lastPart
            && Code != ResponseCode.ServerFailure
            && Interlocked.Exchange(ref _refreshing, 1) == 0;
    }

    /// <summary>Writes the records, as old as they are.</summary>
    public void Write(ref MessageWriter writer, uint ageSeconds)
    {
        writer.Code = Code;
        foreach (var record in _answers)
        {
            writer.Write(Section.Answer, record.Owner, record.Type, Left(record, ageSeconds), record.Data);
        }
        foreach (var record in _authorities)
        {
            writer.Write(Section.Authority, record.Owner, record.Type, Left(record, ageSeconds), record.Data);
        }
    }

    // RFC 2308, section 5: the lesser of the SOA's own time and its last field.
    private static uint NegativeTtl(Message message, ForwardOptions options)
    {
        var ttl = options.FailureTtlSeconds;
        foreach (var record in message.Authorities)
        {
            if (record.Type == RecordType.Soa && record.Data.Length >= sizeof(uint))
            {
                var minimum = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(record.Data.AsSpan()[^sizeof(uint)..]);
                ttl = Math.Min(Math.Min(minimum, record.TtlSeconds), options.MostNegativeTtlSeconds);
            }
        }
        return ttl;
    }

    private uint Left(ForeignRecord record, uint ageSeconds) => Math.Min(record.TtlSeconds, TtlSeconds) is var ttl && ttl > ageSeconds ? ttl - ageSeconds : 0;
}
