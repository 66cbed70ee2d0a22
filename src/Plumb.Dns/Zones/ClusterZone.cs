using System.Buffers.Binary;
using Plumb.Dns.Wire;
using Plumb.Kubernetes.Objects;

namespace Plumb.Dns.Zones;

/// <summary>
/// A cluster's names, kept up to date object by object: what one object changes is all that is written. Readers are never in a writer's
/// way, nor he in theirs. Pure but for its state: no clock, no socket.
/// </summary>
public sealed class ClusterZone
{
    private const string SpecificationVersion = "1.1.0";

    private readonly Lock _writing = new();
    private readonly ObjectRecords _planner;
    private readonly Dictionary<(string Scope, string Name), ServicePart> _services = [];
    private readonly Dictionary<(string Scope, string Name), SlicePart> _slices = [];
    private readonly Dictionary<(string Scope, string Name), Source> _pods = [];
    private readonly NameSet _headless = new();
    private uint _changes;

    public ClusterZone(ZoneOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        _planner = new ObjectRecords(options.Domain);
        Domain = options.Domain.Lower();
        Table.AddApex(Domain);
        foreach (var range in options.Ranges)
        {
            foreach (var zone in ReverseName.ZonesOf(range))
            {
                Table.AddApex(zone);
            }
        }
        NameServer = DomainName.Parse("ns.dns").Under(Domain) ?? Domain;
        WriteOwnRecords();
    }

    public ZoneOptions Options { get; }

    /// <summary>How many names exist, those between others included.</summary>
    public int Names => Table.Count;

    internal DomainName Domain { get; }

    internal DomainName NameServer { get; }

    internal NameTable Table { get; } = new();

    /// <summary>The cause of what is in every cluster's zone.</summary>
    internal static Cause Specification { get; } = new(new ObjectKey("Specification", "", "dns-" + SpecificationVersion));

    public void Set(Service service)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (_writing)
        {
            var part = PartOf((service.Metadata.Namespace ?? "", service.Metadata.Name));
            part.Service = Kept.Of(service);
            Replace(part.Own, _planner.Of(service));
            _headless.Set(_planner.NameOf(service), ObjectRecords.IsHeadless(service));
            foreach (var slice in part.Slices)
            {
                Replace(slice.Own, _planner.Of(service, slice.Slice));
            }
        }
    }

    public void RemoveService(ObjectKey key)
    {
        lock (_writing)
        {
            if (_services.TryGetValue((key.Namespace, key.Name), out var part) && part.Service is { } service)
            {
                _headless.Set(_planner.NameOf(service), false);
                part.Service = null;
                Replace(part.Own, new RecordPlan());
                foreach (var slice in part.Slices)
                {
                    Replace(slice.Own, new RecordPlan());
                }
                RemoveIfEmpty((key.Namespace, key.Name), part);
            }
        }
    }

    public void Set(EndpointSlice slice)
    {
        ArgumentNullException.ThrowIfNull(slice);
        var key = (slice.Metadata.Namespace ?? "", slice.Metadata.Name);
        lock (_writing)
        {
            var service = slice.Metadata.Labels.GetValueOrDefault(EndpointSlice.ServiceNameLabel) ?? "";
            if (_slices.TryGetValue(key, out var part) && part.Service != service)
            {
                Remove(key, part);
                part = null;
            }
            var owner = PartOf((key.Item1, service));
            var kept = KeptSlice.Of(slice);
            if (part is null)
            {
                _slices[key] = part = new SlicePart(service, kept);
                owner.Slices.Add(part);
            }
            part.Slice = kept;
            Replace(part.Own, owner.Service is { } known ? _planner.Of(known, kept) : new RecordPlan());
        }
    }

    public void RemoveSlice(ObjectKey key)
    {
        lock (_writing)
        {
            if (_slices.TryGetValue((key.Namespace, key.Name), out var part))
            {
                Remove((key.Namespace, key.Name), part);
            }
        }
    }

    public void Set(Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        lock (_writing)
        {
            var key = (pod.Metadata.Namespace ?? "", pod.Metadata.Name);
            if (!_pods.TryGetValue(key, out var source))
            {
                _pods[key] = source = new Source();
            }
            Replace(source, _planner.Of(pod));
        }
    }

    public void RemovePod(ObjectKey key)
    {
        lock (_writing)
        {
            if (_pods.Remove((key.Namespace, key.Name), out var source))
            {
                Replace(source, new RecordPlan());
            }
        }
    }

    /// <summary>Whether a headless Service has this name, ready or not.</summary>
    internal bool IsHeadless(ReadOnlySpan<byte> name) => _headless.Contains(name);

    internal Service? FindService(string scope, string name)
    {
        lock (_writing)
        {
            return _services.GetValueOrDefault((scope, name))?.Service;
        }
    }

    /// <summary>The data of a zone's SOA record; its serial number counts changes.</summary>
    /// <returns>Bytes written.</returns>
    internal int WriteSoa(Span<byte> to)
    {
        var mail = "\x0ahostmaster"u8;
        NameServer.Wire.CopyTo(to);
        var at = NameServer.Wire.Length;
        mail.CopyTo(to[at..]);
        at += mail.Length;
        Domain.Wire.CopyTo(to[at..]);
        at += Domain.Wire.Length;
        foreach (var number in (ReadOnlySpan<uint>)[Volatile.Read(ref _changes) + 1, 7200, 1800, 86400, Options.TtlSeconds])
        {
            BinaryPrimitives.WriteUInt32BigEndian(to[at..], number);
            at += sizeof(uint);
        }
        return at;
    }

    private void Remove((string Scope, string Name) key, SlicePart part)
    {
        _slices.Remove(key);
        Replace(part.Own, new RecordPlan());
        if (_services.TryGetValue((key.Scope, part.Service), out var owner))
        {
            owner.Slices.Remove(part);
            RemoveIfEmpty((key.Scope, part.Service), owner);
        }
    }

    private ServicePart PartOf((string Scope, string Name) key)
    {
        if (!_services.TryGetValue(key, out var part))
        {
            _services[key] = part = new ServicePart();
        }
        return part;
    }

    private void RemoveIfEmpty((string Scope, string Name) key, ServicePart part)
    {
        if (part.Service is null && part.Slices.Count == 0)
        {
            _services.Remove(key);
        }
    }

    // Names whose records stay as they are, are not touched.
    private void Replace(Source source, RecordPlan plan)
    {
        var (was, now) = (source.Records, plan.IsEmpty ? null : plan.ToRecords());
        source.Records = now;
        var changed = false;
        foreach (var (name, records) in now ?? [])
        {
            if (was is null || !was.TryGetValue(name, out var before) || !before.AsSpan().SequenceEqual(records))
            {
                Table.Set(name, source, records);
                changed = true;
            }
        }
        foreach (var (name, _) in was ?? [])
        {
            if (now is null || !now.ContainsKey(name))
            {
                Table.Set(name, source, []);
                changed = true;
            }
        }
        if (changed)
        {
            Volatile.Write(ref _changes, _changes + 1);
        }
    }

    private void WriteOwnRecords()
    {
        var plan = new RecordPlan();
        plan.Add(Domain, Record.To(RecordType.Ns, NameServer, Specification));
        foreach (var server in Options.Servers)
        {
            plan.Add(NameServer, Record.Of(server, Specification));
        }
        if (DomainName.Parse("dns-version").Under(Domain) is { } version)
        {
            var text = System.Text.Encoding.ASCII.GetBytes(SpecificationVersion);
            plan.Add(version, new Record(RecordType.Txt, (byte[])[(byte)text.Length, .. text], Specification));
        }
        var own = new Source();
        own.Records = plan.ToRecords();
        foreach (var (name, records) in own.Records)
        {
            Table.Set(name, own, records);
        }
    }

    /// <summary>One object as a giver of records: what it gives now.</summary>
    private sealed class Source
    {
        public Dictionary<byte[], Record[]>? Records { get; set; }
    }

    private sealed class ServicePart
    {
        public Source Own { get; } = new();

        public Service? Service { get; set; }

        public List<SlicePart> Slices { get; } = new(1);
    }

    private sealed class SlicePart(string service, KeptSlice slice)
    {
        public Source Own { get; } = new();

        public string Service { get; } = service;

        public KeptSlice Slice { get; set; } = slice;
    }
}
