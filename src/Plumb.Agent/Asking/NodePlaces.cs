using System.Text.Json.Serialization;

namespace Plumb.Agent.Asking;

/// <summary>Who is where, as an agent knows it: what <c>GET /places</c> of its socket answers.</summary>
/// <param name="Node">Name of the Node object; entries of a plan give it to the node's own network namespace.</param>
/// <param name="Inode">Of that namespace, in nsfs.</param>
/// <param name="Pods">Those on this node that the agent has connected.</param>
/// <param name="Nodes">All of the cluster, this one too.</param>
public sealed record NodePlaces(string Node, ulong Inode, IReadOnlyList<ConnectedPod> Pods, IReadOnlyList<NodePlace> Nodes, NetworkChoices Network);

/// <param name="Space">Its network namespace, by the name that entries of a plan use.</param>
/// <param name="Scope">Kubernetes namespace; empty for a container that is no pod, whose <paramref name="Name"/> is its id.</param>
/// <param name="Path">Where its namespace is, for whoever shares the agent's mounts and processes.</param>
/// <param name="Inode">Which namespace that is, in nsfs.</param>
public sealed record ConnectedPod(string Space, string Scope, string Name, IReadOnlyList<string> Addresses, string Path, ulong Inode);

/// <param name="Ranges">From which its pods have their addresses.</param>
public sealed record NodePlace(string Name, IReadOnlyList<string> Addresses, IReadOnlyList<string> Ranges);

/// <summary>What people chose about the cluster's network, as the agent was told.</summary>
/// <param name="NodeRanges">Of the wire that joins the nodes.</param>
public sealed record NetworkChoices(
    string Overlay,
    string Services,
    IReadOnlyList<string> NodeRanges,
    IReadOnlyList<string> PodRanges,
    IReadOnlyList<string> ServiceRanges,
    IReadOnlyList<string> DnsServers);

/// <summary>Who has an address: what <c>GET /holder?address=A</c> answers.</summary>
/// <param name="Node">On which node it is, or which node has it; null: none of those that are known.</param>
/// <param name="Pod"><c>NAMESPACE/NAME</c>; null: it is no pod's, or of one that is no endpoint of any Service.</param>
public sealed record AddressHolder(string? Node, string? Pod);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NodePlaces))]
[JsonSerializable(typeof(AddressHolder))]
public sealed partial class NodePlacesJson : JsonSerializerContext;
