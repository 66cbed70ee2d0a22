using Plumb.Dns.Wire;
using Plumb.Dns.Zones;

namespace Plumb.Dns.Answering;

/// <summary>Why one question gets the answer that it gets.</summary>
/// <param name="Name">As asked, with the closing dot.</param>
/// <param name="Records">In the order in which the answer has them; empty when there is nothing.</param>
/// <param name="Reason">For a person: where the answer comes from, or what is missing.</param>
/// <param name="IsForOthers">The cluster's names do not say: servers outside are asked.</param>
public sealed record Explanation(
    DomainName Name, RecordType Type, ResponseCode Code, IReadOnlyList<ExplainedRecord> Records, string Reason, bool IsForOthers = false)
{
    /// <summary>Whether a client that works through its search path stops here.</summary>
    public bool IsAnswer => IsForOthers || Records.Any(record => record.Type == Type);
}

/// <param name="Cause">Null: the server made it up for this question, to complete a search path.</param>
public sealed record ExplainedRecord(DomainName Owner, RecordType Type, uint TtlSeconds, string Data, Cause? Cause)
{
    /// <summary>As zone files and <c>dig</c> have it.</summary>
    public override string ToString() => $"{Owner} {TtlSeconds} IN {RecordText.Print(Type)} {Data}";
}

/// <summary>Explains answers; by the same finder that answers, so that both say the same.</summary>
public sealed class Explainer
{
    private readonly ClusterZone _zone;
    private readonly Finder _finder;

    public Explainer(ClusterZone zone)
    {
        _zone = zone;
        _finder = new Finder(zone);
    }

    public Explanation Explain(DomainName name, RecordType type)
    {
        Span<byte> scratch = stackalloc byte[WireName.MostBytes];
        var found = _finder.Find(name.Lower().Wire, type, scratch);
        var records = new List<ExplainedRecord>();
        var ttl = _zone.Options.TtlSeconds;
        var owner = name;
        if (found.Completed.Length != 0)
        {
            var completed = DomainName.FromWire(found.Completed);
            records.Add(new ExplainedRecord(owner, RecordType.Cname, ttl, completed.ToString(), null));
            owner = completed;
        }
        for (var i = 0; i < found.Hops; i++)
        {
            var hop = found.Hop(i);
            var target = DomainName.FromWire(hop.Data.Span);
            records.Add(new ExplainedRecord(owner, RecordType.Cname, ttl, target.ToString(), hop.Cause));
            owner = target;
        }
        if (found.Kind == FindingKind.Records)
        {
            AddFound(records, found, owner, type);
        }
        var code = found.Kind switch
        {
            FindingKind.NoName => ResponseCode.NoSuchName,
            FindingKind.Loop => ResponseCode.ServerFailure,
            _ => ResponseCode.NoError,
        };
        return new Explanation(name, type, code, records, ReasonOf(found, owner, type), found.Kind == FindingKind.Outside);
    }

    private void AddFound(List<ExplainedRecord> records, in Finding found, DomainName owner, RecordType type)
    {
        var ttl = _zone.Options.TtlSeconds;
        if (found.Content is not { } content)
        {
            records.Add(new ExplainedRecord(owner, type, ttl, found.Computed.ToString(), ClusterZone.Specification));
            return;
        }
        if (type == RecordType.Soa)
        {
            Span<byte> data = stackalloc byte[2 * WireName.MostBytes];
            var text = RecordText.Print(RecordType.Soa, data[.._zone.WriteSoa(data)]);
            records.Add(new ExplainedRecord(owner, type, ttl, text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..], ClusterZone.Specification));
            return;
        }
        foreach (var record in type == RecordType.Any ? content.Sets[0].Records : content.Of(type))
        {
            var text = record.ToString();
            records.Add(new ExplainedRecord(owner, record.Type, ttl, text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..], record.Cause));
        }
    }

    private string ReasonOf(in Finding found, DomainName last, RecordType type) => found.Kind switch
    {
        FindingKind.Records when found.Content is null => "a pod's address, read off its name",
        FindingKind.Records when found.Completed.Length != 0 => "found by another entry of the search path, which the server tried itself",
        FindingKind.Records when found.Hops != 0 => "by the name of an external Service",
        FindingKind.Records => "a name of the cluster",
        FindingKind.NoData => $"{last} exists and has no {RecordText.Print(type)} record",
        FindingKind.Outside when found.Hops != 0 => $"{last} is no name of the cluster: servers outside are asked",
        FindingKind.Outside => "no name of the cluster: servers outside are asked",
        FindingKind.Loop => "external Services lead to one another in a circle, or through too many names: correct spec.externalName of one of them",
        _ => Missing.Reason(_zone, last),
    };
}
