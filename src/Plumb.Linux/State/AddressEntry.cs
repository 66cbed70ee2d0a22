using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.State;

/// <summary>An IP address on an interface (<c>ip addr</c>). Its key is device and prefix: the kernel holds one of each.</summary>
public sealed record AddressEntry(NamespaceId Namespace, string Device, IpPrefix Address) : Entry(Namespace)
{
    public RouteScope? Scope { get; init; }

    /// <summary>IFA_F_NODAD: no duplicate address detection, so that an IPv6 address serves at once and not after 1.6 s.</summary>
    public bool? NoDuplicateDetection { get; init; }

    /// <summary>IFA_F_NOPREFIXROUTE: the kernel makes no connected route.</summary>
    public bool? NoPrefixRoute { get; init; }

    /// <summary>IFA_PROTO (Linux 5.18): who put it there; null on kernels that do not tell.</summary>
    public RouteProtocol? Protocol { get; init; }

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Address;

    protected override string NaturalKey() => $"{Address} dev {Device}";

    public override bool IsSatisfiedBy(Entry observed) =>
        observed is AddressEntry address
        && address.Device == Device
        && address.Address == Address
        && (Scope is null || Scope == address.Scope)
        && (NoDuplicateDetection is null || NoDuplicateDetection == address.NoDuplicateDetection)
        && (NoPrefixRoute is null || NoPrefixRoute == address.NoPrefixRoute);

    public override string Print() => EntryText.Print(this);
}
