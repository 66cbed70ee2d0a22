using Plumb.Dns.Wire;
using Plumb.Dns.Zones;

namespace Plumb.Dns.Answering;

/// <summary>What became of a request.</summary>
internal enum Outcome
{
    Silence,
    Answered,

    /// <summary>Others have to be asked; nothing was written.</summary>
    Forward,
}

/// <summary>
/// Answers from the cluster's names: bytes in, bytes out. Any bytes at all get an answer or silence, never an exception. The way of an
/// ordinary question allocates nothing and takes no lock.
/// </summary>
/// <remarks>1. Read the request. 2. Find what the names say. 3. Write it: the way there (CNAMEs), the records, and for what is not there the zone's SOA.</remarks>
internal sealed class AnswerEngine(ClusterZone zone)
{
    /// <summary>Without EDNS (RFC 1035, section 4.2.1).</summary>
    private const int OldUdpBytes = 512;

    private const int MostSoaBytes = 128 + (2 * WireName.MostBytes);

    private readonly Finder _finder = new(zone);
    private uint _turn;

    public ClusterZone Zone { get; } = zone;

    public Finder Finder => _finder;

    /// <summary>Whether names outside the cluster can be asked for (RA).</summary>
    public bool Forwards { get; init; }

    /// <summary>The largest answer that an asker takes by UDP, in bytes: what he says, within what any path carries.</summary>
    public static int UdpBytes(in Query query) => query.HasEdns ? Math.Clamp(query.UdpBytes, OldUdpBytes, MessageWriter.PlumbUdpBytes) : OldUdpBytes;

    /// <param name="to">Takes the answer; its length is the limit by TCP. At least 512 bytes.</param>
    /// <param name="isUdp">Whether the asker's own limit counts, too.</param>
    public Outcome Answer(ReadOnlySpan<byte> request, Span<byte> to, bool isUdp, out int written)
    {
        Span<byte> lower = stackalloc byte[WireName.MostBytes];
        written = 0;
        var query = Query.Read(request, lower);
        if (query.Kind == QueryKind.Silence)
        {
            return Outcome.Silence;
        }
        if (isUdp && UdpBytes(query) is var limit && limit < to.Length)
        {
            to = to[..limit];
        }
        if (query.Kind == QueryKind.Problem)
        {
            written = Refuse(query, to, query.Problem);
            return Outcome.Answered;
        }
        Span<byte> scratch = stackalloc byte[WireName.MostBytes];
        var found = _finder.Find(query.Name, query.Type, scratch);
        if (found.Kind == FindingKind.Outside)
        {
            if (Forwards && (query.Flags & Header.RecursionDesired) != 0)
            {
                return Outcome.Forward;
            }
            if (found.Hops == 0)
            {
                // A name that was only perhaps meant so is missing; one of others' is not for us to answer.
                written = found.Completed.Length != 0 ? WriteMissing(query, to) : Refuse(query, to, ResponseCode.Refused);
                return Outcome.Answered;
            }
        }
        written = Write(query, found, to);
        return Outcome.Answered;
    }

    public int Refuse(in Query query, Span<byte> to, ResponseCode code)
    {
        var writer = new MessageWriter(query, to, Recursion) { Code = code };
        return writer.Finish();
    }

    /// <summary>Writes the names on the way: the completion and the CNAMEs that were followed. The name at the end is the finding's target.</summary>
    public void WriteWay(ref MessageWriter writer, in Query query, in Finding found)
    {
        var ttl = Zone.Options.TtlSeconds;
        var owner = query.Name;
        if (found.Completed.Length != 0)
        {
            writer.Write(Section.Answer, owner, RecordType.Cname, ttl, found.Completed);
            owner = found.Completed;
        }
        for (var i = 0; i < found.Hops; i++)
        {
            var target = found.Hop(i).Data.Span;
            writer.Write(Section.Answer, owner, RecordType.Cname, ttl, target);
            owner = target;
        }
    }

    /// <summary>There is no such name, and no other was found in its place.</summary>
    public int WriteMissing(in Query query, Span<byte> to)
    {
        var writer = new MessageWriter(query, to, (ushort)(Header.Authoritative | Recursion)) { Code = ResponseCode.NoSuchName };
        if (Zone.Table.Closest(query.Name) is { } closest)
        {
            WriteSoa(ref writer, Section.Authority, (closest.Apex ?? closest).Name);
        }
        return writer.Finish();
    }

    public ushort Recursion => Forwards ? Header.RecursionAvailable : (ushort)0;

    private int Write(in Query query, in Finding found, Span<byte> to)
    {
        var writer = new MessageWriter(query, to, (ushort)(Header.Authoritative | Recursion));
        WriteWay(ref writer, query, found);
        switch (found.Kind)
        {
            case FindingKind.Records:
                WriteRecords(ref writer, query, found);
                break;
            case FindingKind.NoName:
                writer.Code = ResponseCode.NoSuchName;
                goto case FindingKind.NoData;
            case FindingKind.NoData:
                if (found.Apex is { } apex)
                {
                    WriteSoa(ref writer, Section.Authority, apex.Name);
                }
                break;
            case FindingKind.Loop:
                return Refuse(query, to, ResponseCode.ServerFailure);
            default:
                break;
        }
        return writer.Finish();
    }

    private void WriteRecords(ref MessageWriter writer, in Query query, in Finding found)
    {
        var ttl = Zone.Options.TtlSeconds;
        if (found.Content is not { } content)
        {
            Span<byte> address = stackalloc byte[16];
            found.Computed.WriteBytes(address);
            writer.Write(Section.Answer, found.Target, Finder.TypeOf(found.Computed), ttl, address[..found.Computed.ByteLength]);
            return;
        }
        if (query.Type == RecordType.Any)
        {
            // RFC 8482: one set of records is answer enough.
            foreach (var record in content.Sets[0].Records)
            {
                writer.Write(Section.Answer, found.Target, record.Type, ttl, record.Data.Span);
            }
            return;
        }
        if (query.Type == RecordType.Soa)
        {
            WriteSoa(ref writer, Section.Answer, found.Target);
            return;
        }
        var records = content.Of(query.Type);
        // Many clients take the first: each asker finds another one there.
        var first = records.Length > 1 ? (int)(Interlocked.Increment(ref _turn) % (uint)records.Length) : 0;
        for (var i = 0; i < records.Length && !writer.IsFull; i++)
        {
            var at = first + i < records.Length ? first + i : first + i - records.Length;
            writer.Write(Section.Answer, found.Target, query.Type, ttl, records[at].Data.Span);
        }
        if (query.Type == RecordType.Srv)
        {
            WriteTargets(ref writer, records, ttl);
        }
    }

    private void WriteTargets(ref MessageWriter writer, ReadOnlySpan<Record> records, uint ttl)
    {
        const int targetAt = 6;
        for (var i = 0; i < records.Length && !writer.IsFull; i++)
        {
            var target = records[i].Data.Span[targetAt..];
            // The ports of one endpoint stand together.
            if ((i > 0 && records[i - 1].Data.Span[targetAt..].SequenceEqual(target)) || Zone.Table.Find(target) is not { Content: var held })
            {
                continue;
            }
            foreach (var type in (ReadOnlySpan<RecordType>)[RecordType.A, RecordType.Aaaa])
            {
                foreach (var record in held.Of(type))
                {
                    writer.Write(Section.Additional, target, type, ttl, record.Data.Span);
                }
            }
        }
    }

    private void WriteSoa(ref MessageWriter writer, Section section, ReadOnlySpan<byte> apex)
    {
        Span<byte> data = stackalloc byte[MostSoaBytes];
        writer.Write(section, apex, RecordType.Soa, Zone.Options.TtlSeconds, data[..Zone.WriteSoa(data)]);
    }
}
