using Plumb.Network.Facts;
using Plumb.Network.Masquerade;
using Plumb.Network.Node;
using Plumb.Network.Overlay;
using Plumb.Network.Pods;

namespace Plumb.Network;

/// <summary>The one list of layers, and the one place where an option picks between two of a kind.</summary>
public static class Layers
{
    public static IReadOnlyList<ILayer> For(NetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return
        [
            new NodeLayer(),
            new PodsLayer(),
            OverlayOf(options.Overlay),
            new MasqueradeLayer(),
        ];
    }

    private static ILayer OverlayOf(OverlayKind kind) => kind switch
    {
        OverlayKind.Vxlan => new VxlanLayer(),
        OverlayKind.Routed => new RoutedLayer(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such overlay"),
    };
}
