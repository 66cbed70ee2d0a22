using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

/// <summary>Which hardware address an IP address has on a link (<c>ip neigh</c>).</summary>
public sealed record NeighbourEntry(NamespaceId Namespace, string Device, IpAddress Address) : Entry(Namespace)
{
    /// <summary>Null when the kernel has not resolved it.</summary>
    public MacAddress? Mac { get; init; }

    public NeighbourState State { get; init; } = NeighbourState.Permanent;

    /// <summary>NTF_PROXY: the node answers for this address.</summary>
    public bool Proxy { get; init; }

    /// <summary>NDA_PROTOCOL: who put it there.</summary>
    public RouteProtocol Protocol { get; init; } = RouteProtocol.Plumb;

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Neighbour;

    protected override string NaturalKey() => $"{Address} dev {Device}{(Proxy ? " proxy" : "")}";

    public override string Print() => EntryText.Print(this);
}

/// <summary>NUD_* of <c>linux/neighbour.h</c>.</summary>
[Flags]
public enum NeighbourState : ushort
{
    None = 0,
    Incomplete = 0x01,
    Reachable = 0x02,
    Stale = 0x04,
    Delay = 0x08,
    Probe = 0x10,
    Failed = 0x20,
    NoArp = 0x40,
    Permanent = 0x80,
}
