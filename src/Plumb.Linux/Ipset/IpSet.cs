using Plumb.Linux.Addresses;

namespace Plumb.Linux.Ipset;

/// <summary>A set of the kernel's ip_set, which rules of iptables look into (<c>ipset list</c>).</summary>
/// <param name="Type">As the kernel spells it: how members are kept, and what they are made of (<c>hash:ip,port</c>).</param>
public sealed record IpSet(string Name, string Type)
{
    /// <summary>Null for types that know no family, as bitmap:port.</summary>
    public IpFamily? Family { get; init; }

    /// <summary>Only so many leading bits of a packet's address are looked for (IPSET_ATTR_NETMASK); null: all.</summary>
    public int? NetmaskLength { get; init; }

    /// <summary>Which bits of a packet's mark are looked for (IPSET_ATTR_MARKMASK), in hash:ip,mark.</summary>
    public uint MarkMask { get; init; } = uint.MaxValue;

    public IReadOnlyList<IpSetMember> Members { get; init; } = [];
}

/// <summary>A member of a set: as many of these as its type has parts.</summary>
public sealed record IpSetMember
{
    public IpAddress? Address { get; init; }

    /// <summary>Bits of <see cref="Address"/> that count; null: all.</summary>
    public int? Length { get; init; }

    /// <summary>IPPROTO_* of <see cref="Port"/>; null for types that ask for none.</summary>
    public byte? Protocol { get; init; }

    /// <summary>Host order; of ICMP type and code (<c>type &lt;&lt; 8 | code</c>).</summary>
    public ushort? Port { get; init; }

    /// <summary>The second address of types that have two.</summary>
    public IpAddress? Address2 { get; init; }

    /// <inheritdoc cref="Length"/>
    public int? Length2 { get; init; }

    public MacAddress? Mac { get; init; }

    public string? Device { get; init; }

    /// <summary>Of a bridge's port, not of the bridge.</summary>
    public bool IsBridgePort { get; init; }

    public uint? Mark { get; init; }

    /// <summary>Another set, in list:set.</summary>
    public string? Set { get; init; }

    /// <summary>What it covers is not in the set, though a wider member has it.</summary>
    public bool IsException { get; init; }

    public string? Comment { get; init; }
}
