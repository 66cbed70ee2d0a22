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
}

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
