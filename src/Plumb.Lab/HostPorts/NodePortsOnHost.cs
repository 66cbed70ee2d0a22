using System.Net.Sockets;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Lab.Running;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.HostPorts;

/// <summary>
/// Opens each node port of the cluster on the host's 127.0.0.1, too: the lab's process lives in the host's network and holds sockets on the wire. Follows
/// the Services one change at a time.
/// </summary>
/// <param name="wire">From here nodes are reached.</param>
internal sealed class NodePortsOnHost(
    NetworkNamespace wire, IReadOnlyList<NodePlace> nodes, KubernetesClient client, LabLog log, TimeProvider time) : IAsyncDisposable
{
    private const string Local = "Local";

    /// <summary>Connections of all ports together; each has two descriptors.</summary>
    private const int MostConnections = 8192;

    private readonly Dictionary<ObjectKey, List<OpenPort>> _open = [];
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _room = new(MostConnections);
    private readonly CancellationTokenSource _ending = new();

    /// <summary>What is open, in order of the ports.</summary>
    public IReadOnlyList<HostPortStatus> Status()
    {
        lock (_gate)
        {
            return [.. _open.Values.SelectMany(static ports => ports).Select(static port => port.Status).OrderBy(static port => port.NodePort).ThenBy(static port => port.Protocol)];
        }
    }

    /// <summary>One change at a time, in their order.</summary>
    public async Task TakeAsync(ObjectChange<Service> change)
    {
        var was = _open.GetValueOrDefault(change.Key, []);
        var wanted = change.New is { } service ? Wanted(service) : [];
        if (was.Count == 0 && wanted.Count == 0)
        {
            return;
        }
        var now = new List<OpenPort>();
        foreach (var port in was)
        {
            // Ways to endpoints are made anew: which policy and family hold may have changed.
            await port.StopFollowingAsync();
            if (!wanted.Contains((port.Protocol, port.NodePort)))
            {
                await port.DisposeAsync();
            }
        }
        foreach (var (protocol, nodePort) in wanted)
        {
            var port = was.Find(port => port.Protocol == protocol && port.NodePort == nodePort) ?? new OpenPort(change.Key, protocol, nodePort);
            Lead(port, change.New!);
            now.Add(port);
        }
        lock (_gate)
        {
            if (now.Count == 0)
            {
                _open.Remove(change.Key);
            }
            else
            {
                _open[change.Key] = now;
            }
        }
        foreach (var port in now.Where(port => !was.Contains(port) && port.Status.Warning is not null))
        {
            await WarnAsync(change.New!, port.Status.Warning!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        foreach (var port in _open.Values.SelectMany(static ports => ports))
        {
            await port.StopFollowingAsync();
            await port.DisposeAsync();
        }
        _open.Clear();
        _ending.Dispose();
    }

    // SCTP has no sockets on many machines, and no client on a host that would miss it.
    private static List<(ProtocolType Protocol, ushort NodePort)> Wanted(Service service)
    {
        var wanted = new List<(ProtocolType, ushort)>();
        foreach (var port in service.Spec.Ports)
        {
            if (port.NodePort is > 0 and <= ushort.MaxValue && port.Protocol is "TCP" or "UDP")
            {
                wanted.Add((port.Protocol == "TCP" ? ProtocolType.Tcp : ProtocolType.Udp, (ushort)port.NodePort));
            }
        }
        return wanted;
    }

    private void Lead(OpenPort port, Service service)
    {
        var slices = service.Spec.ExternalTrafficPolicy == Local ? port.Follow(SlicesOf(service), _ending.Token) : null;
        var family = service.Spec.IpFamilies is ["IPv6", ..] ? IpFamily.V6 : IpFamily.V4;
        var target = new NodePortTarget(port.NodePort, family, nodes, slices);
        if (port.Door is { } door)
        {
            door.Target = target;
            return;
        }
        try
        {
            port.Door = port.Protocol == ProtocolType.Tcp
                ? new TcpDoor(port.NodePort, target, wire, _room, time, _ending.Token)
                : new UdpDoor(port.NodePort, target, wire, time, _ending.Token);
        }
        catch (SocketException refused)
        {
            port.Refused = refused.Message;
        }
    }

    private Informer<EndpointSlice> SlicesOf(Service service) => new(
        client,
        new ListOptions
        {
            Namespace = service.Metadata.Namespace,
            Labels = Selector.Parse($"{EndpointSlice.ServiceNameLabel}={service.Metadata.Name}"),
        },
        Random.Shared)
    {
        OnTrouble = trouble => log.Write("node ports", trouble.Message),
    };

    private async Task WarnAsync(Service service, string warning)
    {
        log.Write("node ports", warning);
        var now = time.GetUtcNow();
        try
        {
            await client.CreateAsync(
                service.Metadata.Namespace,
                new Event
                {
                    Metadata = new ObjectMeta { Name = $"{service.Metadata.Name}.{now.UtcTicks:x}", Namespace = service.Metadata.Namespace },
                    InvolvedObject = ObjectReference.To(service),
                    Reason = "NodePortTakenOnHost",
                    Message = warning,
                    EventType = "Warning",
                    Source = new EventSource { Component = "plumb-lab" },
                    Count = 1,
                    FirstTimestamp = now,
                    LastTimestamp = now,
                },
                _ending.Token);
        }
        catch (Exception lost) when (lost is ApiException or HttpRequestException or IOException or OperationCanceledException)
        {
            // `plumb status` says it, too.
        }
    }
}
