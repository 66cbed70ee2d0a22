using System.Buffers.Binary;

namespace Plumb.Dns.Wire;

/// <summary>A record of somebody else's message.</summary>
/// <param name="Owner">In wire form, case as sent.</param>
/// <param name="Data">Names that the type has in it are written out whole.</param>
internal sealed record ForeignRecord(byte[] Owner, RecordType Type, uint TtlSeconds, byte[] Data)
{
    public override string ToString() => $"{DomainName.FromWire(Owner)} {TtlSeconds} IN {RecordText.Print(Type, Data)}";
}

/// <summary>An answer, read whole and made independent of its bytes. EDNS's record is not among the others; records of another class than IN are left out.</summary>
internal sealed class Message
{
    private const int MostExpandedBytes = ushort.MaxValue;

    private Message(ReadOnlySpan<byte> header)
    {
        Id = BinaryPrimitives.ReadUInt16BigEndian(header);
        Flags = BinaryPrimitives.ReadUInt16BigEndian(header[Header.Flags..]);
        Code = Flags & Header.CodeMask;
    }

    public ushort Id { get; }

    public ushort Flags { get; }

    /// <summary>With the upper bits of EDNS, where it has any.</summary>
    public int Code { get; private set; }

    /// <summary>Null when the message repeats no question.</summary>
    public DomainName? Question { get; private set; }

    public RecordType QuestionType { get; private set; }

    /// <summary>The largest datagram of the sender in bytes; null: the message has no EDNS.</summary>
    public int? UdpBytes { get; private set; }

    public List<ForeignRecord> Answers { get; } = [];

    public List<ForeignRecord> Authorities { get; } = [];

    public List<ForeignRecord> Additionals { get; } = [];

    public bool IsTruncated => (Flags & Header.Truncated) != 0;

    /// <summary>False for what is no message; never an exception.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Message? message)
    {
        message = null;
        if (bytes.Length < Header.Bytes)
        {
            return false;
        }
        var read = new Message(bytes);
        Span<byte> name = stackalloc byte[WireName.MostBytes];
        var at = Header.Bytes;
        for (var left = Count(bytes, Header.Questions); left > 0; left--)
        {
            var length = WireName.Expand(bytes, at, name, out at);
            if (length == 0 || at + 4 > bytes.Length)
            {
                return false;
            }
            read.Question = DomainName.FromWire(name[..length]);
            read.QuestionType = (RecordType)BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            at += 4;
        }
        if (!read.TryReadSection(bytes, ref at, Count(bytes, Header.Answers), read.Answers)
            || !read.TryReadSection(bytes, ref at, Count(bytes, Header.Authorities), read.Authorities)
            || !read.TryReadSection(bytes, ref at, Count(bytes, Header.Additionals), read.Additionals)
            || at != bytes.Length)
        {
            return false;
        }
        message = read;
        return true;
    }

    private static int Count(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);

    private bool TryReadSection(ReadOnlySpan<byte> bytes, ref int at, int count, List<ForeignRecord> to)
    {
        const int fixedBytes = 10;
        Span<byte> owner = stackalloc byte[WireName.MostBytes];
        for (; count > 0; count--)
        {
            var length = WireName.Expand(bytes, at, owner, out at);
            if (length == 0 || at + fixedBytes > bytes.Length)
            {
                return false;
            }
            var type = (RecordType)BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            var @class = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            var ttl = BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 4)..]);
            var begin = at + fixedBytes;
            at = begin + BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 8)..]);
            if (at > bytes.Length)
            {
                return false;
            }
            if (type == RecordType.Opt)
            {
                UdpBytes = @class;
                Code |= (int)(ttl >> 24) << 4;
            }
            else if (ExpandData(bytes, type, begin, at) is not { } data)
            {
                return false;
            }
            else if (@class == RecordClass.Internet)
            {
                // RFC 2181, section 8: with the top bit set it counts as zero.
                to.Add(new ForeignRecord(owner[..length].ToArray(), type, ttl > int.MaxValue ? 0 : ttl, data));
            }
        }
        return true;
    }

    // Only the types of RFC 1035, and SRV of those who compress it all the same, may have compressed names (RFC 3597, section 4).
    private static byte[]? ExpandData(ReadOnlySpan<byte> bytes, RecordType type, int begin, int end)
    {
        var (before, names, after) = type switch
        {
            RecordType.Cname or RecordType.Ptr or RecordType.Ns or RecordType.Dname => (0, 1, 0),
            RecordType.Mx => (2, 1, 0),
            RecordType.Srv => (6, 1, 0),
            RecordType.Soa => (0, 2, 20),
            _ => (end - begin, 0, 0),
        };
        if (begin + before > end)
        {
            return null;
        }
        Span<byte> name = stackalloc byte[WireName.MostBytes];
        var data = new List<byte>(end - begin);
        data.AddRange(bytes.Slice(begin, before));
        var at = begin + before;
        for (; names > 0; names--)
        {
            var length = WireName.Expand(bytes, at, name, out at);
            if (length == 0)
            {
                return null;
            }
            data.AddRange(name[..length]);
        }
        if (at + after != end || data.Count + after > MostExpandedBytes)
        {
            return null;
        }
        data.AddRange(bytes.Slice(at, after));
        return [.. data];
    }
}
