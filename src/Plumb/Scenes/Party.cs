using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Scenes;

/// <summary>Somebody who can send, or whom a packet may be for.</summary>
/// <param name="Name">Of a pod without its namespace.</param>
/// <param name="Scope">A pod's namespace; null: it is no pod.</param>
/// <param name="Node">The node that it is on; of a machine, itself.</param>
/// <param name="Space">Of a pod of the host's network the node's own.</param>
/// <param name="Addresses">One of each family, the preferred one first.</param>
internal sealed record Party(PartyKind Kind, string Name, string? Scope, string Node, NamespaceId Space, ValueList<IpAddress> Addresses)
{
    /// <summary>As a trace calls it: <c>client (default)</c>, <c>node-1</c>.</summary>
    public string Title => Scope is null ? Name : $"{Name} ({Scope})";

    /// <summary>As origins name it: <c>Pod default/client</c>, <c>Node node-1</c>; of other machines, the name.</summary>
    public string Subject => Kind switch
    {
        PartyKind.Pod => $"Pod {FullName}",
        PartyKind.Node => $"Node {Name}",
        _ => Name,
    };

    /// <summary><c>NAMESPACE/POD</c>; of all else the name.</summary>
    public string FullName => Scope is null ? Name : $"{Scope}/{Name}";

    /// <summary>The address to be called by from another's point of view.</summary>
    public IpAddress AddressFor(Party asker)
    {
        foreach (var address in Addresses)
        {
            if (asker.Addresses.Count == 0 || asker.Addresses.Any(own => own.Family == address.Family))
            {
                return address;
            }
        }
        return Addresses[0];
    }
}

/// <summary>With the numbers of <see cref="Diagnosis.Snapshots.SnapshotPartyKind"/>.</summary>
internal enum PartyKind
{
    Node = 1,
    Pod,

    /// <summary>On the wire, and no node: <c>outside</c>, the wire itself.</summary>
    Machine,
}
