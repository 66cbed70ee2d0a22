using System.Net.Sockets;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.HostPorts;

/// <summary>One node port of one Service, and its door on the host if there is one.</summary>
internal sealed class OpenPort(ObjectKey service, ProtocolType protocol, ushort nodePort) : IAsyncDisposable
{
    private CancellationTokenSource? _following;
    private Task _followed = Task.CompletedTask;

    public ProtocolType Protocol => protocol;

    public ushort NodePort => nodePort;

    public HostDoor? Door { get; set; }

    /// <summary>Why there is no door.</summary>
    public string? Refused { get; set; }

    public HostPortStatus Status => new(
        $"{service.Namespace}/{service.Name}",
        protocol == ProtocolType.Tcp ? "TCP" : "UDP",
        nodePort,
        Door?.Port,
        Door is null ? $"node port {nodePort} of {service.Namespace}/{service.Name} cannot be opened on 127.0.0.1: {Refused}"
            : Door.Port != nodePort ? $"port {nodePort} of 127.0.0.1 belongs to another program; the node port of {service.Namespace}/{service.Name} is at 127.0.0.1:{Door.Port}"
            : null);

    /// <summary>Runs an informer until told otherwise.</summary>
    public Informer<EndpointSlice> Follow(Informer<EndpointSlice> slices, CancellationToken ending)
    {
        _following = CancellationTokenSource.CreateLinkedTokenSource(ending);
        _followed = Task.WhenAll(slices.RunAsync(_following.Token), DrainAsync(slices));
        return slices;
    }

    public async Task StopFollowingAsync()
    {
        if (_following is { } following)
        {
            await following.CancelAsync();
            await _followed;
            following.Dispose();
            _following = null;
        }
    }

    public ValueTask DisposeAsync() => Door?.DisposeAsync() ?? default;

    // Its state is looked at when a connection comes; its changes are nobody's.
    private static async Task DrainAsync(Informer<EndpointSlice> slices)
    {
        await foreach (var _ in slices.Changes.ReadAllAsync())
        {
        }
    }
}
