using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using Plumb.Linux.Wireguard;

namespace Plumb.Linux.Kernel;

/// <summary>Reads links and all that hangs on them from several namespaces, and says what is at the other end of each veth, and under each device that sits on another.</summary>
internal sealed class RtnetlinkObserver(Kernels kernels, ObservedState state, IReadOnlySet<EntryKind>? kinds) : IDisposable
{
    private static readonly KernelFacts NoFacts = new();

    private readonly Dictionary<NamespaceId, LinkTable> _links = [];
    private readonly NetlinkWriter _request = new(512);

    public void Observe(List<KernelNamespace> targets)
    {
        if (!WantsAny())
        {
            return;
        }
        foreach (var target in targets)
        {
            _links.Add(target.Id, Dump(target));
        }
        foreach (var target in targets)
        {
            var links = _links[target.Id];
            ObserveLinks(target, links);
            ObserveAddresses(target, links);
            ObserveRoutes(target, links);
            ObserveRules(target);
            ObserveNeighbours(target, links);
            ObserveFdb(target, links);
            ObserveTrafficControl(target, links);
        }
    }

    public void Dispose() => _request.Dispose();

    private bool Wants(EntryKind kind) => kinds is null || kinds.Contains(kind);

    private bool WantsAny() =>
        Wants(EntryKind.Link) || Wants(EntryKind.Address) || Wants(EntryKind.Route) || Wants(EntryKind.Rule)
        || Wants(EntryKind.Neighbour) || Wants(EntryKind.Fdb) || Wants(EntryKind.Qdisc) || Wants(EntryKind.Filter);

    private LinkTable Dump(KernelNamespace target)
    {
        _request.Clear();
        LinkMessage.EmitDump(_request);
        return new LinkTable(target.Route.Dump(_request, static m => LinkMessage.Parse(m.Payload)));
    }

    private void ObserveLinks(KernelNamespace target, LinkTable links)
    {
        var others = new OtherEnds(kernels, _links).Of(target, links);
        foreach (var link in links.All)
        {
            var other = others.GetValueOrDefault(link.Index);
            var entry = LinkConversion.ToEntry(target.Id, link, links, other);
            if (link.Info?.Kind == "wireguard")
            {
                entry = entry with { Type = Peers(target, link.Index) };
            }
            var alias = AliasOf(link);
            // A pair is one thing: made from the one end, it is Plumb's before the other end says so.
            var owner = Ownership.OfLink(entry, alias ?? (entry.Type is LinkType.Veth ? AliasOf(other.Link) : null));
            links.Owners[link.Index] = owner;
            if (Wants(EntryKind.Link))
            {
                state.Set(new Observed(entry, owner, alias, Facts(link)));
            }
        }
    }

    private static LinkType.Wireguard Peers(KernelNamespace target, int index)
    {
        try
        {
            return WireguardKernel.Read(target.Generic, index);
        }
        catch (NetlinkException)
        {
            // Its keys are told to administrators only, and so is all else of it.
            return new LinkType.Wireguard();
        }
    }

    private static KernelFacts Facts(LinkMessage link) => new(link.Index)
    {
        Carrier = link.HasCarrier,
        Promiscuous = link.Promiscuity is > 0 ? true : null,
        PeerIndex = link.Info?.Kind == "veth" ? link.Link : null,
        PeerNamespaceNumber = link.Info?.Kind == "veth" ? link.LinkNamespace : null,
    };

    private static Stamp? AliasOf(LinkMessage? link) => link?.Alias is { Length: > 0 } text ? new Stamp(text) : null;

    private void ObserveAddresses(KernelNamespace target, LinkTable links)
    {
        if (!Wants(EntryKind.Address))
        {
            return;
        }
        _request.Clear();
        AddressMessage.EmitDump(_request);
        foreach (var message in target.Route.Dump(_request, static m => AddressMessage.Parse(m.Payload)))
        {
            if (RouteConversion.ToEntry(target.Id, message, links) is { } entry)
            {
                Add(entry, Ownership.OfAddress(entry, links.Owners.GetValueOrDefault(message.Index)), message.Index);
            }
        }
    }

    private void ObserveRoutes(KernelNamespace target, LinkTable links)
    {
        if (!Wants(EntryKind.Route))
        {
            return;
        }
        foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.V4, IpFamily.V6])
        {
            _request.Clear();
            RouteMessage.EmitDump(_request, family);
            foreach (var message in target.Route.Dump(_request, static m => RouteMessage.Parse(m.Payload)))
            {
                // Two devices with addresses of one network have two routes that differ in nothing else: the kernel takes the first.
                if (message.Family == family && RouteConversion.ToEntry(target.Id, message, links) is { } entry && !state.Entries.ContainsKey(entry.Key))
                {
                    Add(entry, Ownership.OfRoute(entry));
                }
            }
        }
    }

    private void ObserveRules(KernelNamespace target)
    {
        if (!Wants(EntryKind.Rule))
        {
            return;
        }
        foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.V4, IpFamily.V6])
        {
            _request.Clear();
            RuleMessage.EmitDump(_request, family);
            foreach (var message in target.Route.Dump(_request, static m => RuleMessage.Parse(m.Payload)))
            {
                if (message.Family == family)
                {
                    var entry = RouteConversion.ToEntry(target.Id, message);
                    Add(entry, Ownership.OfRule(entry));
                }
            }
        }
    }

    private void ObserveNeighbours(KernelNamespace target, LinkTable links)
    {
        if (!Wants(EntryKind.Neighbour))
        {
            return;
        }
        foreach (var proxies in (ReadOnlySpan<bool>)[false, true])
        {
            _request.Clear();
            NeighbourMessage.EmitDump(_request, RtnetlinkTypes.AF_UNSPEC, proxies);
            foreach (var message in target.Route.Dump(_request, static m => NeighbourMessage.Parse(m.Payload)))
            {
                if (NeighbourConversion.ToNeighbour(target.Id, message, links) is { } entry)
                {
                    Add(entry, Ownership.OfNeighbour(entry), message.Index);
                }
            }
        }
    }

    private void ObserveFdb(KernelNamespace target, LinkTable links)
    {
        if (!Wants(EntryKind.Fdb))
        {
            return;
        }
        _request.Clear();
        NeighbourMessage.EmitDump(_request, RtnetlinkTypes.AF_BRIDGE);
        foreach (var message in target.Route.Dump(_request, static m => NeighbourMessage.Parse(m.Payload)))
        {
            if (NeighbourConversion.ToFdb(target.Id, message, links) is { } entry)
            {
                Add(entry, Ownership.OfFdb(entry, links.Owners.GetValueOrDefault(message.Index)), message.Index);
            }
        }
    }

    // Filters are asked for only where somebody has made room for them: one question tells that of all devices.
    private void ObserveTrafficControl(KernelNamespace target, LinkTable links)
    {
        if (!Wants(EntryKind.Qdisc) && !Wants(EntryKind.Filter))
        {
            return;
        }
        foreach (var message in TrafficControlReader.Qdiscs(target))
        {
            if (message.Handle == 0 || links.NameOf(message.Index) is not { } device)
            {
                continue;
            }
            var qdisc = TrafficControlConversion.ToEntry(target.Id, device, message);
            var filters = TrafficControlReader.Filters(target, qdisc, message.Index, links.NameOf);
            if (Wants(EntryKind.Qdisc))
            {
                Add(qdisc, Ownership.OfQdisc(qdisc, new TrafficHandle(message.Handle), [.. filters.Select(static filter => filter.Entry)]), message.Index);
            }
            foreach (var (filter, counted) in Wants(EntryKind.Filter) ? filters : [])
            {
                state.Set(new Observed(filter, Ownership.OfFilter(filter), null, new KernelFacts { Counted = counted }));
            }
        }
    }

    private void Add(Entry entry, Owner owner, int index = 0) => state.Set(new Observed(entry, owner, null, index == 0 ? NoFacts : new KernelFacts(index)));
}

/// <summary>The links of one namespace by index.</summary>
internal sealed class LinkTable
{
    private readonly Dictionary<int, LinkMessage> _byIndex;

    public LinkTable(List<LinkMessage> links)
    {
        All = links;
        _byIndex = new Dictionary<int, LinkMessage>(links.Count);
        foreach (var link in links)
        {
            _byIndex[link.Index] = link;
        }
    }

    public List<LinkMessage> All { get; }

    public Dictionary<int, Owner> Owners { get; } = [];

    public LinkMessage? Find(int index) => _byIndex.GetValueOrDefault(index);

    public string? NameOf(int index) => Find(index)?.Name;
}
