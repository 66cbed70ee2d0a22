using Plumb.Lab.Agents;
using Plumb.Lab.Node;
using Plumb.Lab.Running;
using Plumb.Linux.State;

namespace Plumb.Lab;

/// <summary>One node of the lab: its kubelet's part and its agent, which know nothing of one another but a socket and a directory.</summary>
internal sealed record LabNode(Kubelet Kubelet, INodeAgent Agent, NamespaceId Id, NodePaths Paths)
{
    public string Name => Kubelet.Name;
}
