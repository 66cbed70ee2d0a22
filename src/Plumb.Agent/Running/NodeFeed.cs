using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Running;

/// <summary>Keeps the loop told of the cluster's Node objects: all of them at first, then each change.</summary>
internal sealed class NodeFeed(Informer<Kubernetes.Objects.Node> nodes, AgentLoop loop)
{
    public async Task RunAsync(CancellationToken cancel)
    {
        var informing = nodes.RunAsync(cancel);
        await Task.WhenAny(nodes.Synced, informing);
        var all = new List<(string, ClusterNode?)>();
        foreach (var node in nodes.Objects.Values)
        {
            all.Add((node.Metadata.Name, NodeReading.Read(node)));
        }
        // The list replaces what was remembered from an earlier life.
        loop.Post(new AgentWork.Nodes(all, All: true));
        while (await nodes.Changes.WaitToReadAsync(cancel))
        {
            var changed = new List<(string, ClusterNode?)>();
            while (nodes.Changes.TryRead(out var change))
            {
                changed.Add((change.Key.Name, change.New is { } now ? NodeReading.Read(now) : null));
            }
            loop.Post(new AgentWork.Nodes(changed, All: false));
        }
        await informing;
    }
}
