using System.Net;
using System.Net.Sockets;
using Plumb.Api.Streaming;
using Plumb.Lab.Containers;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Node;

/// <summary>What <c>kubectl logs</c>, <c>exec</c>, <c>attach</c> and <c>port-forward</c> reach: the containers of all nodes of the lab.</summary>
internal sealed class NodeRuntime(IReadOnlyDictionary<string, Kubelet> nodes) : IPodRuntime
{
    public Task LogAsync(PodIdentity pod, LogRequest request, Stream output, CancellationToken cancel) =>
        Container(pod, request.Container).LogAsync(request, output, cancel);

    public Task<CommandOutcome> ExecAsync(PodIdentity pod, ExecRequest request, CommandStreams streams, CancellationToken cancel) =>
        Container(pod, request.Container).ExecAsync(request, streams, cancel);

    public Task<CommandOutcome> AttachAsync(PodIdentity pod, AttachRequest request, CommandStreams streams, CancellationToken cancel) =>
        Container(pod, request.Container).AttachAsync(request, streams, cancel);

    public async ValueTask<Stream> ConnectAsync(PodIdentity pod, int port, CancellationToken cancel)
    {
        var worker = Worker(pod);
        return worker.Facts is { } facts
            ? await ContainerRuntime.ConnectAsync(facts, port, cancel)
            : throw PodStreamException.BadRequest($"unable to forward port because pod is not running. Current status={worker.Phase}");
    }

    public IReadOnlyList<IPAddress>? AddressesOf(string node) =>
        nodes.TryGetValue(node, out var known) ? [.. known.Node.Report.Addresses.Select(static address => address.ToIPAddress())] : null;

    public async ValueTask<Stream> ConnectToNodeAsync(string name, IPEndPoint to, CancellationToken cancel) =>
        new NetworkStream(await nodes[name].Node.Network.ConnectTcpAsync(to, cancel), ownsSocket: true);

    private PodWorker Worker(PodIdentity pod) =>
        nodes.TryGetValue(pod.Node, out var node) && node.Find(pod.Uid) is { } worker
            ? worker
            : throw PodStreamException.NotFound($"pod \"{pod.Name}\" is not known to node \"{pod.Node}\"");

    private IContainer Container(PodIdentity pod, string container)
    {
        var worker = Worker(pod);
        return worker.Find(container)
            ?? throw PodStreamException.BadRequest($"container \"{container}\" in pod \"{pod.Name}\" is waiting to start: {worker.WhyNotStarted(container)}");
    }
}
