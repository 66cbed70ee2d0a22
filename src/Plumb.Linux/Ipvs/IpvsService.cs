using Plumb.Linux.Addresses;

namespace Plumb.Linux.Ipvs;

/// <summary>A virtual service of IPVS (<c>ipvsadm -Ln</c>): what comes to it is sent on to one of its servers.</summary>
/// <param name="Protocol">IPPROTO_*.</param>
/// <param name="Port">Host order; 0: all ports, of a service that remembers its clients.</param>
/// <param name="Scheduler">By its kernel name: <c>rr</c>, <c>wlc</c>.</param>
public sealed record IpvsService(IpAddress Address, byte Protocol, ushort Port, string Scheduler)
{
    /// <summary>It is for packets with this mark, not for an address (IPVS_SVC_ATTR_FWMARK); 0: it is not.</summary>
    public uint Mark { get; init; }

    /// <summary>Whoever has come before is sent to the same server (IP_VS_SVC_F_PERSISTENT).</summary>
    public bool IsPersistent { get; init; }

    public IReadOnlyList<IpvsServer> Servers { get; init; } = [];
}

/// <summary>A real server.</summary>
/// <param name="Port">Host order.</param>
/// <param name="Weight">0: it gets no new connections.</param>
public sealed record IpvsServer(IpAddress Address, ushort Port, IpvsMethod Method, int Weight)
{
    public uint ActiveConnections { get; init; }

    public uint InactiveConnections { get; init; }
}

/// <summary>How packets come to a real server (IP_VS_CONN_F_*).</summary>
public enum IpvsMethod
{
    /// <summary>Their destination is rewritten.</summary>
    Masquerading = 0,

    /// <summary>The server is this host.</summary>
    Local = 1,

    /// <summary>Unchanged, in IPIP.</summary>
    Tunnel = 2,

    /// <summary>Unchanged, to its hardware address.</summary>
    DirectRoute = 3,

    Bypass = 4,
}
