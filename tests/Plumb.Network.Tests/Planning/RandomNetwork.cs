using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Tests.Planning;

/// <summary>A network that changes at random: nodes come, go, move and fight for ranges; sandboxes come and go; the wire changes.</summary>
internal sealed class RandomNetwork(Random random, NetworkOptions options)
{
    private const string Self = "node-1";

    public NetworkView View { get; set; } =
        new(ClusterView.Empty, NodeFacts.Create(Self, new NamespaceId(Self), options));

    public static NetworkOptions[] AllOptions { get; } =
    [
        NetworkOptions.Default,
        new() { Overlay = OverlayKind.Routed, Services = ServicesKind.None },
        new()
        {
            ClusterRanges = [IpPrefix.Parse("10.244.0.0/16"), IpPrefix.Parse("fd00:10:244::/56")],
            ServiceRanges = [IpPrefix.Parse("10.96.0.0/12"), IpPrefix.Parse("fd00:10:96::/112")],
        },
        new() { Overlay = OverlayKind.Routed, ServiceRanges = [IpPrefix.Parse("10.244.128.0/17")] },
        new()
        {
            Services = ServicesKind.Iptables,
            ClusterRanges = [IpPrefix.Parse("10.244.0.0/16"), IpPrefix.Parse("fd00:10:244::/56")],
            ServiceRanges = [IpPrefix.Parse("10.96.0.0/12"), IpPrefix.Parse("fd00:10:96::/112")],
        },
    ];

    /// <summary>Some changes at once, as a queue that was not read for a while holds them; a subject may change twice in it.</summary>
    public List<Change> Step()
    {
        var changes = new List<Change>();
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            changes.Add(new Change(One()));
        }
        return changes;
    }

    private Subject One()
    {
        switch (random.Next(20))
        {
            case 10 or 11 or 12 or 13:
                return ChangeService();
            case > 13:
                return ChangeSlice();
            case 0:
                View = View with { Node = View.Node.With(random.Next(5) == 0 ? null : Wire()) };
                return Subject.Machine;
            case 1:
                var gone = NodeName();
                View = View with { Cluster = View.Cluster.WithoutNode(gone) };
                return Subject.Node(gone);
            case 2 or 3 or 4:
                var node = Node();
                View = View with { Cluster = View.Cluster.With(node) };
                return Subject.Node(node.Name);
            case 5 or 6:
                var id = Id();
                View = View with { Node = View.Node.Without(id) };
                return id.Subject;
            case 7:
                var mirror = Copies();
                View = View with { Node = random.Next(3) == 0 ? View.Node.WithoutMirror(mirror.Number) : View.Node.With(mirror) };
                return mirror.Subject;
            default:
                var sandbox = Pod();
                View = View with { Node = View.Node.With(sandbox) };
                return sandbox.Id.Subject;
        }
    }

    private Subject ChangeService()
    {
        var subject = RandomServices.Name(random);
        var changed = new List<Subject>();
        ClusterService? now = random.Next(4) == 0 ? null : RandomServices.Service(random, subject);
        View = View with { Cluster = View.Cluster.With(View.Cluster.Services.With([(subject, now)], [], changed)) };
        return subject;
    }

    private Subject ChangeSlice()
    {
        var subject = RandomServices.SliceName(random);
        var changed = new List<Subject>();
        ServiceSlice? now = random.Next(5) == 0 ? null : RandomServices.Slice(random, subject, View.Cluster.Services.Slice(subject));
        View = View with { Cluster = View.Cluster.With(View.Cluster.Services.With([], [(subject, now)], changed)) };
        return subject;
    }

    private string NodeName() => $"node-{random.Next(1, 6)}";

    private ClusterNode Node()
    {
        var ranges = new List<IpPrefix>();
        if (random.Next(6) != 0)
        {
            ranges.Add(random.Next(8) switch
            {
                0 => IpPrefix.Parse("10.244.0.0/21"),
                1 => IpPrefix.Parse("10.244.2.128/25"),
                2 => IpPrefix.Parse("10.0.0.0/24"),
                _ => new IpPrefix(IpAddress.V4(10, 244, (byte)random.Next(1, 7), 0), 24),
            });
        }
        if (random.Next(3) == 0)
        {
            ranges.Add(IpPrefix.Parse($"fd00:10:244:{random.Next(1, 4)}::/64"));
        }
        var addresses = new List<IpAddress>();
        if (random.Next(6) != 0)
        {
            addresses.Add(random.Next(5) == 0 ? IpAddress.V4(172, 16, 0, (byte)random.Next(1, 5)) : IpAddress.V4(192, 168, 1, (byte)random.Next(11, 17)));
        }
        if (random.Next(3) == 0)
        {
            addresses.Add(IpAddress.Parse($"fd00:192:168:1::{random.Next(11, 17)}"));
        }
        return new ClusterNode(NodeName())
        {
            Addresses = new([.. addresses]),
            PodRanges = new([.. ranges]),
            Zone = random.Next(3) switch { 0 => "", 1 => "zone-a", _ => "zone-b" },
            Created = DateTimeOffset.UnixEpoch.AddSeconds(random.Next(3)),
            Problems = random.Next(10) == 0 ? ["spec.podCIDRs[1]: 'x' is no range"] : [],
        };
    }

    private Underlay Wire() => new(
        random.Next(2) == 0 ? "eth0" : "ens3",
        MacAddress.FromNumber(0x02_00_00_00_00_01),
        random.Next(3) switch { 0 => 1500, 1 => 9000, _ => 1280 },
        random.Next(3) switch
        {
            0 => [IpPrefix.Parse("192.168.1.11/24"), IpPrefix.Parse("fd00:192:168:1::11/64")],
            1 => [IpPrefix.Parse("fd00:192:168:1::11/64")],
            _ => [new IpPrefix(IpAddress.V4(192, 168, 1, (byte)random.Next(11, 13)), 24)],
        },
        random.Next(2) == 0 ? [] : [IpAddress.Parse("192.168.1.1")]);

    private Mirror Copies()
    {
        var number = random.Next(3);
        return new Mirror(number, Mirror.FirstVni + number, "default/pod-1", NodeName(), "process 1")
        {
            Source = random.Next(3) == 0 ? null : Id(),
            Direction = random.GetItems([MirrorDirection.Both, MirrorDirection.Ingress, MirrorDirection.Egress], 1)[0],
        };
    }

    private SandboxId Id() => new($"{random.Next(6):x8}", random.Next(4) == 0 ? "net1" : "eth0");

    private Sandbox Pod()
    {
        var id = Id();
        var leases = new List<PodLease>
        {
            new(IpAddress.V4(10, 244, 1, (byte)random.Next(2, 8)), IpPrefix.Parse($"10.244.{random.Next(1, 3)}.0/24")),
        };
        if (random.Next(3) == 0)
        {
            leases.Add(new PodLease(IpAddress.Parse($"fd00:10:244:1::{random.Next(2, 8)}"), IpPrefix.Parse("fd00:10:244:1::/64")));
        }
        return new Sandbox(id, new NamespaceId($"pod-{id.ContainerId}"), new([.. leases]))
        {
            PodScope = "default",
            PodName = random.Next(4) == 0 ? "" : $"pod-{random.Next(3)}",
            Ports = random.Next(3) != 0 ? [] :
            [
                // Of one container each, as agents see to it.
                new HostPort(random.Next(2) == 0 ? IpProtocol.Tcp : IpProtocol.Udp, (ushort)(8000 + id.ContainerId[^1]), 80, random.Next(3) switch { 0 => null, 1 => IpAddress.V4(192, 168, 1, 11), _ => IpAddress.V4(127, 0, 0, 1) }),
                new HostPort(IpProtocol.Udp, (ushort)(9000 + id.ContainerId[^1]), 53, IpAddress.Parse("fd00:192:168:1::11")),
            ],
            Bandwidth = random.Next(3) != 0 ? default : new Bandwidth(Limit(), Limit()),
        };
    }

    private RateLimit? Limit() => random.Next(2) == 0 ? null : new RateLimit((ulong)random.Next(1, 3) * 1_000_000, random.Next(2) == 0 ? 0 : 400_000u);
}
