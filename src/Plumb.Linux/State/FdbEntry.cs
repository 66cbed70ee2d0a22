using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

/// <summary>
/// An entry of a bridge's or VXLAN device's forwarding table (<c>bridge fdb</c>): frames for this MAC leave by this port, or,
/// on a VXLAN device, in a tunnel to <see cref="Remote"/>.
/// </summary>
public sealed record FdbEntry(NamespaceId Namespace, string Device, MacAddress Mac) : Entry(Namespace)
{
    /// <summary>True: in the table of the bridge that the device is a port of (NTF_MASTER). False: in the device's own (NTF_SELF).</summary>
    public bool OfMaster { get; init; }

    /// <summary>VLAN of a bridge that filters VLANs; 0: none.</summary>
    public ushort Vlan { get; init; }

    /// <summary>The tunnel end point behind which the MAC lives (NDA_DST); only for VXLAN devices.</summary>
    public IpAddress? Remote { get; init; }

    /// <summary>NUD_PERMANENT on a bridge means "this MAC is the port's own"; a station's fixed entry is NUD_NOARP, which tools call <c>static</c>.</summary>
    public NeighbourState State { get; init; } = NeighbourState.NoArp;

    /// <summary>NDA_PROTOCOL where the kernel keeps one (VXLAN); a bridge forgets it.</summary>
    public RouteProtocol Protocol { get; init; }

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Fdb;

    // A VXLAN device holds several remotes for one MAC (the all-zero MAC's list is how it floods).
    protected override string NaturalKey() =>
        $"{Mac} dev {Device}{(Remote is { } remote ? $" dst {remote}" : "")}{(Vlan == 0 ? "" : $" vlan {Vlan}")} {(OfMaster ? "master" : "self")}";

    public override string Print() => EntryText.Print(this);
}
