using System.Text.Json.Nodes;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>A network at one moment, whole: all that a walk, an explanation or a plan may ask for. docs/snapshot.md describes the file.</summary>
/// <param name="Spaces">By the name of the namespace; those of <paramref name="Missing"/> are not there.</param>
/// <param name="Objects">Of the API; none where there was no API.</param>
/// <param name="Plans">What agents had planned, by node.</param>
/// <param name="Missing">What could not be read, a line for each.</param>
public sealed record Snapshot(
    SnapshotHeader Header,
    IReadOnlyList<SnapshotParty> Parties,
    IReadOnlyDictionary<NamespaceId, Space> Spaces,
    IReadOnlyList<JsonObject> Objects,
    IReadOnlyDictionary<string, PlanDocument> Plans,
    IReadOnlyList<string> Missing)
{
    public IWorld World { get; } = new GivenWorld(Spaces.Values);
}

/// <summary>The first line of a snapshot.</summary>
/// <param name="Format">Raised when a reader of the one before would misunderstand the file.</param>
/// <param name="Plumb">The version that wrote it.</param>
/// <param name="Kernel">Release of the kernel that was looked at.</param>
/// <param name="Name">Of the lab or machine.</param>
public sealed record SnapshotHeader(int Format, string Plumb, string Kernel, DateTimeOffset TakenAt, string Name)
{
    /// <summary>How the cluster's network was to be; null where nobody knows.</summary>
    public SnapshotNetwork? Network { get; init; }
}

/// <summary>What people chose about a network; see <see cref="NetworkOptions"/>.</summary>
public sealed record SnapshotNetwork(
    OverlayKind Overlay,
    ServicesKind Services,
    IReadOnlyList<IpPrefix> NodeRanges,
    IReadOnlyList<IpPrefix> PodRanges,
    IReadOnlyList<IpPrefix> ServiceRanges,
    IReadOnlyList<IpAddress> DnsServers)
{
    public NetworkOptions ToOptions() => new()
    {
        Overlay = Overlay,
        Services = Services,
        ClusterRanges = [.. PodRanges],
        ServiceRanges = [.. ServiceRanges],
        DnsServers = [.. DnsServers],
    };
}

/// <summary>Somebody who can send, or whom a packet may be for.</summary>
/// <param name="Node">The node that it is on; of a machine, itself.</param>
/// <param name="Space">The network namespace.</param>
/// <param name="Addresses">One of each family, the preferred one first.</param>
public sealed record SnapshotParty(SnapshotPartyKind Kind, string Name, string Node, NamespaceId Space, IReadOnlyList<IpAddress> Addresses)
{
    /// <summary>A pod's namespace; null: it is no pod.</summary>
    public string? Scope { get; init; }

    /// <summary>A pod's /etc/resolv.conf; null where it is not known.</summary>
    public string? Resolver { get; init; }
}

public enum SnapshotPartyKind
{
    Node = 1,
    Pod,

    /// <summary>Neither: somebody on the wire.</summary>
    Machine,
}

/// <summary>A file is no snapshot that can be read, or cannot be written; the message is one line for the user.</summary>
public sealed class SnapshotException(string message, Exception? cause = null) : Exception(message, cause);
