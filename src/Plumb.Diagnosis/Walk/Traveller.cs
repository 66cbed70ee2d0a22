using System.Collections.Immutable;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Walk;

/// <summary>A packet at one stage of its way, with all that the next stage may ask. A value: where a way divides, there are two.</summary>
internal sealed record Traveller(Space Space, Stage Stage, Packet Packet, Memory Memory)
{
    /// <summary>The device that it came in by; null: it was made here.</summary>
    public string? In { get; init; }

    /// <summary>The device that it is to leave by; null until the route is known.</summary>
    public string? Out { get; init; }

    /// <summary>A bridge's port that the frame came in by, while it is in the bridge.</summary>
    public string? Port { get; init; }

    /// <summary>The bridge port that it came in by, where br_netfilter keeps that in mind (<c>nf_bridge_get_physindev</c>).</summary>
    public string? CameBy { get; init; }

    /// <summary>The bridge port that it is about to leave by, while the hooks of IP see it (<c>nf_bridge_get_physoutdev</c>).</summary>
    public string? LeavesBy { get; init; }

    /// <summary>The device above (ipvlan in mode l3s) that takes it when the rules of this namespace have let it in.</summary>
    public Segments.Station? For { get; init; }

    /// <summary>Where IPVS has sent it on: it does so once (<c>skb->ipvs_property</c>).</summary>
    public NamespaceId? BalancedIn { get; init; }

    /// <summary>Where the transparent socket is bound that a rule hands it to (<c>TPROXY</c>).</summary>
    public (IpAddress Address, ushort Port)? Proxy { get; init; }

    /// <summary>The bridge that it is in shows it to the hooks of IP (br_netfilter).</summary>
    public bool IsShown { get; init; }

    /// <summary>Hardware addresses of the frame that carries it.</summary>
    public MacAddress FrameSource { get; init; }

    /// <inheritdoc cref="FrameSource"/>
    public MacAddress FrameDestination { get; init; }

    /// <summary>The VLAN whose tag the frame bears (IEEE 802.1Q); null: none.</summary>
    public int? Tag { get; init; }

    /// <summary>The next hop's address was asked for: bridges on the way have learned it.</summary>
    public bool WasAsked { get; init; }

    /// <summary>It is the answer to a packet that was walked before.</summary>
    public bool IsAnswer { get; init; }

    /// <summary>What connection tracking has made of it in this namespace.</summary>
    public Connection? Connection { get; init; }

    /// <summary>What rules have done to sets of the namespaces that it passed.</summary>
    public ImmutableDictionary<NamespaceId, ElementChanges> Changes { get; init; } = ImmutableDictionary<NamespaceId, ElementChanges>.Empty;

    /// <summary>How often filters have sent it elsewhere in this namespace, one after the other.</summary>
    public int Redirections { get; init; }

    /// <summary>Where a filter has sent it elsewhere from: an ifb gives it back there, behind the filters (<c>skb->from_ingress</c>, <c>tc_skip_classify</c>).</summary>
    public (string Device, TrafficHook Hook)? RedirectedFrom { get; init; }

    /// <summary>It comes out of an ifb, and has met the filters of the device that it is at.</summary>
    public bool HasPassedFilters { get; init; }

    /// <summary>Whether it is for this host, where a filter has put it before a device that its frame may not be for (<c>skb->pkt_type</c> stays); null: its address says so.</summary>
    public bool? IsForHost { get; init; }

    /// <summary>The route that was chosen.</summary>
    public RouteAnswer? Route { get; init; }

    public double Probability { get; init; } = 1;

    /// <summary>What has happened so far.</summary>
    public ImmutableList<Hop> Hops { get; init; } = [];

    /// <summary>Where it was already: what comes back to the same place unchanged will go on so.</summary>
    public ImmutableHashSet<(NamespaceId Space, string Device, Packet Packet, MacAddress Frame)> Visited { get; init; } = [];

    /// <summary>Whether this host sends it, rather than passing it on.</summary>
    public bool IsOwn => In is null;

    public bool IsV4 => Packet.Family == IpFamily.V4;

    /// <summary>Where the kernel is told to go on, with a hop added.</summary>
    public Traveller To(Stage stage, Hop? hop = null) => this with { Stage = stage, Hops = hop is null ? Hops : Hops.Add(hop) };

    /// <summary>A hop here that leaves the packet as it is.</summary>
    public Hop Note(string what, Entry? entry = null, string? device = null) =>
        new(Space.Id, Stage, what, Packet, Packet) { Entry = entry?.Key, Text = entry?.Print(), Device = device };

    public Step Go(Stage stage, Hop? hop = null) => new Step.On(To(stage, hop));

    public Step.End Drop(string reason, Entry? entry = null, string? device = null, Packet? answer = null) =>
        End(Ending.Dropped, reason, Note(reason, entry, device)) with { Answer = answer };

    public Step.End End(Ending ending, string reason, Hop hop) => new(To(Stage, hop), ending, reason) { Killer = hop };
}

/// <summary>What one stage makes of a traveller.</summary>
internal abstract record Step
{
    public sealed record On(Traveller Traveller) : Step;

    /// <summary>From within a hook to another stage: the rest of the hook is not asked.</summary>
    public sealed record Away(Traveller Traveller) : Step;

    /// <param name="Reason">For a person.</param>
    public sealed record End(Traveller Traveller, Ending Ending, string Reason) : Step
    {
        public Hop? Killer { get; init; }

        /// <summary>What this host sends back: an answer, a reset, an ICMP error; null: nothing.</summary>
        public Packet? Answer { get; init; }

        /// <summary>The device by which it goes straight back, past routes and rules; null: as whatever this host sends.</summary>
        public string? AnswersBy { get; init; }
    }
}

/// <summary>How a packet's way ends, seen from the packet.</summary>
internal enum Ending
{
    Taken,
    Dropped,

    /// <summary>The system call fails: the sender is told without a packet.</summary>
    Error,
    Loop,
    Undecided,
}
