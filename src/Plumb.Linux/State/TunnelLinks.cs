using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

public abstract partial record LinkType
{
    /// <summary>A tunnel that carries packets of IP in others, without frames: ipip, sit, gre. Plumb reads such devices and makes none.</summary>
    /// <param name="Carries">What the outer header calls its content.</param>
    public sealed record IpTunnel(IpTunnelProtocol Carries) : LinkType
    {
        [JsonIgnore]
        public override string KindName => Carries.ToString().ToLowerInvariant();

        /// <summary>Source of outer packets; null: as routes say.</summary>
        public IpAddress? Local { get; init; }

        /// <summary>Null: the next hop's address of each packet's route.</summary>
        public IpAddress? Remote { get; init; }

        /// <summary>Name of the device that outer packets leave by; null: any.</summary>
        public string? Device { get; init; }

        /// <summary>Null: as that of the packet within.</summary>
        public byte? TimeToLive { get; init; }

        public bool PathMtuDiscovery { get; init; } = true;

        /// <summary>Of GRE.</summary>
        public uint? Key { get; init; }
    }

    /// <summary>WireGuard: packets are encrypted for the peer that their destination belongs to. Plumb reads such devices and makes none.</summary>
    public sealed record Wireguard : LinkType
    {
        [JsonIgnore]
        public override string KindName => "wireguard";

        /// <summary>Base64, as <c>wg show</c> prints it; null: none, or nobody was told.</summary>
        public string? PublicKey { get; init; }

        /// <summary>UDP port, host order.</summary>
        public int? ListenPort { get; init; }

        /// <summary>Of outer packets; 0: none.</summary>
        public uint Mark { get; init; }

        /// <summary>Null: they are told to administrators only.</summary>
        public ValueList<WireguardPeer>? Peers { get; init; }
    }
}

/// <param name="PublicKey">Base64.</param>
/// <param name="Endpoint">Where outer packets go; null: it has not called yet.</param>
/// <param name="Port">Of that; host order.</param>
/// <param name="AllowedIps">Whose packets it sends, and gets.</param>
public sealed record WireguardPeer(string PublicKey, IpAddress? Endpoint, int Port, ValueList<IpPrefix> AllowedIps);

/// <summary>IPPROTO_* of an outer packet.</summary>
public enum IpTunnelProtocol
{
    /// <summary>IPv4 in IPv4 (RFC 2003).</summary>
    Ipip = 4,

    /// <summary>IPv6 in IPv4 (RFC 4213).</summary>
    Sit = 41,

    /// <summary>RFC 2784.</summary>
    Gre = 47,
}
