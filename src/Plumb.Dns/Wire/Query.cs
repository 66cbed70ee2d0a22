using System.Buffers.Binary;

namespace Plumb.Dns.Wire;

/// <summary>What has to become of a datagram.</summary>
internal enum QueryKind
{
    /// <summary>It is none of ours to answer: too short for a header, or an answer itself. Whoever answered those could be made to talk to himself.</summary>
    Silence,

    /// <summary>It gets <see cref="Query.Problem"/> for an answer.</summary>
    Problem,

    /// <summary>It asks one question.</summary>
    Question,
}

/// <summary>A request, read. Any bytes at all make one; reading allocates nothing.</summary>
internal readonly ref struct Query
{
    private const int OptFixedBytes = 11; // root, type, class, TTL, length
    private const ushort DnssecOkFlag = 0x8000;

    private Query(ReadOnlySpan<byte> message, QueryKind kind, ResponseCode problem = ResponseCode.NoError)
    {
        Message = message;
        Kind = kind;
        Problem = problem;
    }

    public ReadOnlySpan<byte> Message { get; }

    public QueryKind Kind { get; }

    public ResponseCode Problem { get; }

    /// <summary>The name in question in lower case, in the caller's buffer.</summary>
    public ReadOnlySpan<byte> Name { get; private init; }

    public RecordType Type { get; private init; }

    /// <summary>Whether the request has an OPT record, and so the answer gets one.</summary>
    public bool HasEdns { get; private init; }

    /// <summary>DO: the asker can read DNSSEC's records (RFC 3225).</summary>
    public bool DnssecOk { get; private init; }

    /// <summary>The largest datagram that the asker takes, in bytes, as he says it.</summary>
    public int UdpBytes { get; private init; }

    public ushort Id => BinaryPrimitives.ReadUInt16BigEndian(Message);

    public ushort Flags => BinaryPrimitives.ReadUInt16BigEndian(Message[Header.Flags..]);

    /// <summary>The question as asked, its case kept: name, type and class.</summary>
    public ReadOnlySpan<byte> Question => Message.Slice(Header.Bytes, Name.Length == 0 ? 0 : Name.Length + 4);

    /// <param name="lower">Takes the name: <see cref="WireName.MostBytes"/> bytes that live as long as the result.</param>
    public static Query Read(ReadOnlySpan<byte> message, Span<byte> lower)
    {
        if (message.Length < Header.Bytes)
        {
            return new Query(message, QueryKind.Silence);
        }
        var flags = BinaryPrimitives.ReadUInt16BigEndian(message[Header.Flags..]);
        if ((flags & Header.Response) != 0)
        {
            return new Query(message, QueryKind.Silence);
        }
        if ((flags & Header.OpcodeMask) != 0)
        {
            return new Query(message, QueryKind.Problem, ResponseCode.NotImplemented);
        }
        // Of several questions nobody could say which of them an answer's code is for (RFC 9619).
        var counts = BinaryPrimitives.ReadUInt64BigEndian(message[Header.Questions..]);
        var nameLength = counts >> 16 == 1UL << 32 ? WireName.ReadPlain(message, Header.Bytes, lower) : 0;
        var at = Header.Bytes + nameLength + 4;
        if (nameLength == 0 || at > message.Length)
        {
            return new Query(message, QueryKind.Problem, ResponseCode.FormatError);
        }
        var type = (RecordType)BinaryPrimitives.ReadUInt16BigEndian(message[(at - 4)..]);
        var @class = BinaryPrimitives.ReadUInt16BigEndian(message[(at - 2)..]);
        var problem = @class != RecordClass.Internet || type is RecordType.Axfr or RecordType.Ixfr ? ResponseCode.Refused
            : type == RecordType.Opt ? ResponseCode.FormatError
            : ResponseCode.NoError;
        var (hasEdns, dnssecOk, udpBytes) = (false, false, 0);
        for (var left = (int)(counts & 0xffff); left > 0; left--)
        {
            var fields = WireName.Skip(message, at);
            if (fields < 0 || fields + OptFixedBytes - 1 > message.Length)
            {
                return new Query(message, QueryKind.Problem, ResponseCode.FormatError);
            }
            var recordType = (RecordType)BinaryPrimitives.ReadUInt16BigEndian(message[fields..]);
            var end = fields + OptFixedBytes - 1 + BinaryPrimitives.ReadUInt16BigEndian(message[(fields + 8)..]);
            if (end > message.Length || (recordType == RecordType.Opt && (hasEdns || fields != at + 1)))
            {
                return new Query(message, QueryKind.Problem, ResponseCode.FormatError);
            }
            if (recordType == RecordType.Opt)
            {
                hasEdns = true;
                udpBytes = BinaryPrimitives.ReadUInt16BigEndian(message[(fields + 2)..]);
                problem = message[fields + 5] != 0 ? ResponseCode.BadVersion : problem;
                dnssecOk = (BinaryPrimitives.ReadUInt16BigEndian(message[(fields + 6)..]) & DnssecOkFlag) != 0;
            }
            at = end;
        }
        if (at != message.Length)
        {
            return new Query(message, QueryKind.Problem, ResponseCode.FormatError);
        }
        return new Query(message, problem == ResponseCode.NoError ? QueryKind.Question : QueryKind.Problem, problem)
        {
            Name = lower[..nameLength],
            Type = type,
            HasEdns = hasEdns,
            DnssecOk = dnssecOk,
            UdpBytes = udpBytes,
        };
    }
}
