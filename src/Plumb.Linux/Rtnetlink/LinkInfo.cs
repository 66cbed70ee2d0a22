using System.Text;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Rtnetlink;

/// <summary>IFLA_LINKINFO: a link's kind with what is particular to it, and what it is as a port of its master.</summary>
/// <param name="Kind">IFLA_INFO_KIND, as the kernel spells it (<c>veth</c>, <c>bridge</c>); empty when only the port is stated.</param>
public sealed record LinkInfo(string Kind)
{
    internal const ushort IFLA_INFO_KIND = 1;
    internal const ushort IFLA_INFO_DATA = 2;
    internal const ushort IFLA_INFO_SLAVE_KIND = 4;
    internal const ushort IFLA_INFO_SLAVE_DATA = 5;

    /// <summary>Of a veth, in requests: the other end as it shall be made (VETH_INFO_PEER).</summary>
    public LinkMessage? VethPeer { get; init; }

    public BridgeInfo? Bridge { get; init; }

    public VxlanInfo? Vxlan { get; init; }

    /// <summary>Of kinds that Plumb reads and does not make: in messages that are written back it is among <see cref="Unknown"/>.</summary>
    public StackedInfo? Stacked { get; init; }

    /// <inheritdoc cref="Stacked"/>
    public IpTunnelInfo? Tunnel { get; init; }

    /// <summary>IFLA_INFO_SLAVE_DATA of a bridge's port.</summary>
    public BridgePortInfo? BridgePort { get; init; }

    public UnknownAttributes Unknown { get; init; }

    private const ushort VETH_INFO_PEER = 1;

    internal static LinkInfo Parse(NetlinkAttribute nest, bool keepUnknown)
    {
        var kind = "";
        var portKind = "";
        var unknown = keepUnknown ? new UnknownAttributes.Collector() : null;
        foreach (var a in nest.Nested("IFLA_LINKINFO"))
        {
            switch (a.Type)
            {
                case IFLA_INFO_KIND:
                    kind = Known(a.Text(nameof(IFLA_INFO_KIND)));
                    break;
                case IFLA_INFO_SLAVE_KIND:
                    portKind = Known(a.Text(nameof(IFLA_INFO_SLAVE_KIND)));
                    break;
                default:
                    break;
            }
        }
        var info = new LinkInfo(kind);
        foreach (var a in nest.Nested("IFLA_LINKINFO"))
        {
            switch (a.Type)
            {
                case IFLA_INFO_KIND:
                    break;
                case IFLA_INFO_SLAVE_KIND when portKind == "bridge":
                    break;
                case IFLA_INFO_DATA when kind == "veth":
                    info = info with { VethPeer = ParsePeer(a, keepUnknown) };
                    break;
                case IFLA_INFO_DATA when kind == "bridge":
                    info = info with { Bridge = BridgeInfo.Parse(a, keepUnknown) };
                    break;
                case IFLA_INFO_DATA when kind == "vxlan":
                    info = info with { Vxlan = VxlanInfo.Parse(a, keepUnknown) };
                    break;
                case IFLA_INFO_DATA when StackedInfo.IsKind(kind):
                    info = info with { Stacked = StackedInfo.Parse(a, kind) };
                    unknown?.Add(a);
                    break;
                case IFLA_INFO_DATA when IpTunnelInfo.IsKind(kind):
                    info = info with { Tunnel = IpTunnelInfo.Parse(a, kind) };
                    unknown?.Add(a);
                    break;
                case IFLA_INFO_SLAVE_DATA when portKind == "bridge":
                    info = info with { BridgePort = BridgePortInfo.Parse(a, keepUnknown) };
                    break;
                default:
                    unknown?.Add(a);
                    break;
            }
        }
        return unknown is null ? info : info with { Unknown = unknown.Take() };
    }

    internal void Emit(NetlinkWriter writer)
    {
        using var nest = writer.Nest(LinkMessage.IFLA_LINKINFO);
        if (Kind.Length > 0)
        {
            writer.Bytes(IFLA_INFO_KIND, Encoding.UTF8.GetBytes(Kind));
        }
        if (VethPeer is { } peer)
        {
            using (writer.Nest(IFLA_INFO_DATA))
            using (writer.Nest(VETH_INFO_PEER))
            {
                peer.EmitBody(writer);
            }
        }
        Bridge?.Emit(writer);
        Vxlan?.Emit(writer);
        if (BridgePort is { } port)
        {
            writer.Bytes(IFLA_INFO_SLAVE_KIND, "bridge"u8);
            port.Emit(writer);
        }
        Unknown.Emit(writer);
    }

    private static LinkMessage? ParsePeer(NetlinkAttribute data, bool keepUnknown)
    {
        foreach (var a in data.Nested("IFLA_INFO_DATA (veth)"))
        {
            if (a.Type == VETH_INFO_PEER)
            {
                return LinkMessage.Parse(a.Value, keepUnknown);
            }
        }
        return null;
    }

    // One string for each kind, not one for each of a thousand links.
    private static string Known(string kind) => string.IsInterned(kind) ?? kind;
}
