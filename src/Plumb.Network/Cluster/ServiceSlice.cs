using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Network.Cluster;

/// <summary>What the network needs of an EndpointSlice.</summary>
/// <param name="Service">The Service whose endpoints these are.</param>
public sealed record ServiceSlice(Subject Subject, Subject Service)
{
    private Origin? _origin;

    public IpFamily Family { get; init; }

    public ValueList<SlicePort> Ports { get; init; }

    public ValueList<SliceEndpoint> Endpoints { get; init; }

    public Origin Origin => _origin ??= new Origin(Subject);

    public SlicePort? PortOf(ClusterServicePort port)
    {
        foreach (var own in Ports)
        {
            if (own.Protocol == port.Protocol && own.Name == port.Name)
            {
                return own;
            }
        }
        return null;
    }

    public bool Equals(ServiceSlice? other) =>
        other is not null
        && Subject == other.Subject
        && Service == other.Service
        && Family == other.Family
        && Ports == other.Ports
        && Endpoints == other.Endpoints;

    public override int GetHashCode() => HashCode.Combine(Subject, Service, Endpoints.Count);
}

/// <summary>A port that all endpoints of a slice have.</summary>
public readonly record struct SlicePort(string Name, IpProtocol Protocol, ushort Port);

/// <summary>What an endpoint is fit for (discovery/v1).</summary>
[Flags]
public enum EndpointState : byte
{
    None = 0,

    /// <summary>Takes new connections.</summary>
    Ready = 1,

    /// <summary>Would answer, whether it is going or not.</summary>
    Serving = 2,

    /// <summary>Its pod is going.</summary>
    Terminating = 4,
}

/// <param name="Node">Name of the node that it is on; empty: not said.</param>
/// <param name="ForZones">Zones that shall use it, by its hints.</param>
/// <param name="ForNodes">Nodes that shall use it, by its hints.</param>
public readonly record struct SliceEndpoint(
    IpAddress Address, EndpointState State, string Node, ValueList<string> ForZones, ValueList<string> ForNodes)
{
    public bool IsReady => (State & EndpointState.Ready) != 0;

    /// <summary>Going, and still able to answer: better than nobody.</summary>
    public bool IsLastResort => (State & (EndpointState.Serving | EndpointState.Terminating)) == (EndpointState.Serving | EndpointState.Terminating);
}
