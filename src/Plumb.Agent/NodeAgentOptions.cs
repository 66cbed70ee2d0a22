using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Network.Facts;

namespace Plumb.Agent;

/// <summary>What an agent must be told. It does not know whether its node is a machine or a namespace of a lab.</summary>
public sealed record NodeAgentOptions
{
    /// <summary>Name of the Node object.</summary>
    public required string NodeName { get; init; }

    /// <summary>The node's network namespace; the caller keeps it and disposes it after the agent.</summary>
    public required NetworkNamespace Network { get; init; }

    /// <summary>Leases and what must outlive the agent: <c>/var/lib/plumb</c> on a real node. One agent at a time.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Where the agent answers HTTP: <c>/run/plumb/cni.sock</c> on a real node. Under 108 bytes.</summary>
    public required string SocketPath { get; init; }

    /// <summary>Where the CNI configuration is written, last of all, when pods can be served: <c>/etc/cni/net.d</c>. Null: none is written.</summary>
    public string? CniConfigurationDirectory { get; init; }

    /// <summary>Overlay, ranges, MTU: the same on every node.</summary>
    public NetworkOptions Cluster { get; init; } = NetworkOptions.Default;

    /// <summary>The node's address on the wire; null: that of the Node object, else that of the device with the default route.</summary>
    public IpAddress? NodeAddress { get; init; }

    /// <summary>The clock of back-off, coalescing and events.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
