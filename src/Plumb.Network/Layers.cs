using Plumb.Network.Dns;
using Plumb.Network.Exposure;
using Plumb.Network.Facts;
using Plumb.Network.Masquerade;
using Plumb.Network.Mirroring;
using Plumb.Network.Node;
using Plumb.Network.Overlay;
using Plumb.Network.Pods;
using Plumb.Network.Services;
using Plumb.Network.Services.Iptables;

namespace Plumb.Network;

/// <summary>The one list of layers, and the one place where an option picks between two of a kind.</summary>
public static class Layers
{
    public static IReadOnlyList<ILayer> For(NetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ILayer> layers =
        [
            new NodeLayer(),
            new PodsLayer(),
            OverlayOf(options.Overlay),
        ];
        if (ServicesOf(options.Services) is { } services)
        {
            layers.Add(services);
        }
        if (options.DnsServers.Count != 0)
        {
            layers.Add(new DnsLayer());
        }
        layers.Add(new HostPortsLayer());
        layers.Add(new BandwidthLayer());
        layers.Add(new MasqueradeLayer());
        layers.Add(new MirrorLayer());
        return layers;
    }

    private static ILayer? ServicesOf(ServicesKind kind) => kind switch
    {
        ServicesKind.Nftables => new ServicesLayer(),
        ServicesKind.Iptables => new IptablesServicesLayer(),
        ServicesKind.None => null,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such back end of Services"),
    };

    private static ILayer OverlayOf(OverlayKind kind) => kind switch
    {
        OverlayKind.Vxlan => new VxlanLayer(),
        OverlayKind.Routed => new RoutedLayer(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such overlay"),
    };
}
