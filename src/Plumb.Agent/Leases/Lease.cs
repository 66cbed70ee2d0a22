using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;
using Plumb.Linux.Native;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;

namespace Plumb.Agent.Leases;

/// <summary>That a container's interface holds addresses, with all that is needed to find it again after a restart.</summary>
/// <param name="NamespacePath">CNI_NETNS</param>
/// <param name="Namespace">Which namespace was there: a path may come to mean another.</param>
internal sealed record Lease(SandboxId Id, ValueList<PodLease> Addresses, string NamespacePath, FileIdentity Namespace)
{
    public string PodScope { get; init; } = "";

    public string PodName { get; init; } = "";

    public string PodUid { get; init; } = "";

    /// <summary>Name of the CNI network that it is an attachment to.</summary>
    public string Network { get; init; } = "";

    /// <summary>The hardware address that the runtime asked for; null: one that follows from the first address.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>The node's ports that lead to the container.</summary>
    public ValueList<HostPort> Ports { get; init; }

    public Bandwidth Bandwidth { get; init; }

    public NamespaceId NamespaceName => Sandbox.NameOf(Id.ContainerId, PodScope, PodName);

    public Sandbox ToSandbox() => new(Id, NamespaceName, Addresses) { PodScope = PodScope, PodName = PodName, PodUid = PodUid, OwnMac = Mac, Ports = Ports, Bandwidth = Bandwidth };
}

/// <summary>Content of a lease's file; its name is the address.</summary>
/// <param name="Addresses">All of the interface's: a lease of which a file is missing was never given.</param>
internal sealed record LeaseFile(
    string ContainerId,
    string Interface,
    string Pool,
    IReadOnlyList<string> Addresses,
    string NamespacePath,
    ulong NamespaceDevice,
    ulong NamespaceInode,
    string BootId,
    string PodNamespace,
    string PodName,
    string PodUid,
    string? Network,
    string? Mac,
    IReadOnlyList<LeasePort>? Ports,
    LeaseRate? Ingress,
    LeaseRate? Egress)
{
    public static LeaseFile Of(Lease lease, PodLease address, string bootId) => new(
        lease.Id.ContainerId,
        lease.Id.Interface,
        address.Pool.ToString(),
        [.. lease.Addresses.Select(static held => held.Address.ToString())],
        lease.NamespacePath,
        lease.Namespace.Device,
        lease.Namespace.Inode,
        bootId,
        lease.PodScope,
        lease.PodName,
        lease.PodUid,
        lease.Network,
        lease.Mac?.ToString(),
        lease.Ports.Count == 0 ? null : [.. lease.Ports.Select(static port => new LeasePort((byte)port.Protocol, port.Number, port.PodPort, port.HostAddress?.ToString()))],
        LeaseRate.Of(lease.Bandwidth.Ingress),
        LeaseRate.Of(lease.Bandwidth.Egress));
}

/// <param name="Protocol">IPPROTO_*</param>
internal sealed record LeasePort(byte Protocol, ushort HostPort, ushort Port, string? HostAddress)
{
    public HostPort ToPort() => new((IpProtocol)Protocol, HostPort, Port, IpAddress.TryParse(HostAddress, out var address) ? address : null);
}

/// <param name="Burst">0: nobody says.</param>
internal sealed record LeaseRate(ulong BitsPerSecond, ulong Burst)
{
    public static LeaseRate? Of(RateLimit? limit) => limit is { } rate ? new(rate.BitsPerSecond, rate.BurstBits) : null;

    public RateLimit ToLimit() => new(BitsPerSecond, Burst);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LeaseFile))]
internal sealed partial class LeaseJson : JsonSerializerContext;
