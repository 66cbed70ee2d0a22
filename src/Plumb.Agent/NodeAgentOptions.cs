using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Plumb.Agent.Metrics;
using Plumb.Agent.Probing;
using Plumb.Dns.Forwarding;
using Plumb.Kubernetes.Clients;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Agent;

/// <summary>What an agent must be told. It does not know whether its node is a machine or a namespace of a lab.</summary>
public sealed record NodeAgentOptions
{
    /// <summary>Name of the Node object.</summary>
    public required string NodeName { get; init; }

    /// <summary>The node's network namespace. The agent opens it anew; the object stays the caller's.</summary>
    public required NetworkNamespace Network { get; init; }

    /// <summary>Leases and what must outlive the agent: <c>/var/lib/plumb</c> on a real node. One agent at a time.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Where the agent answers HTTP: <c>/run/plumb/cni.sock</c> on a real node. Under 108 bytes.</summary>
    public required string SocketPath { get; init; }

    /// <summary>Where the CNI configuration is written, last of all, when pods can be served: <c>/etc/cni/net.d</c>. Null: none is written.</summary>
    public string? CniConfigurationDirectory { get; init; }

    /// <summary>Where the plugin's executable is put before the configuration names it: <c>/opt/cni/bin</c>. Null: it is there, or needs none.</summary>
    public string? PluginDirectory { get; init; }

    /// <summary>What the configuration names as the plugin. A runtime that knows <c>plumb</c> (a lab's) calls the agent without starting an executable.</summary>
    public string CniPlugin { get; init; } = "plumb-cni";

    /// <summary>Overlay, ranges, MTU: the same on every node.</summary>
    public NetworkOptions Cluster { get; init; } = NetworkOptions.Default;

    /// <summary>The node's address on the wire; null: that of the Node object, else that of the device with the default route.</summary>
    public IpAddress? NodeAddress { get; init; }

    /// <summary>The API; the caller's to dispose. Null: there is none, and <see cref="Nodes"/> are all.</summary>
    public KubernetesClient? Api { get; init; }

    /// <summary>Whom this node's DNS server asks for names that are not the cluster's, from the agent's own namespace.</summary>
    public ForwardOptions Forward { get; init; } = new();

    /// <summary>For back-off; seeded by the caller.</summary>
    public Random Random { get; init; } = new(1);

    /// <summary>Nodes that are known without an API. What the API says takes their place.</summary>
    public IReadOnlyList<ClusterNode> Nodes { get; init; } = [];

    /// <summary>How long the kernel is left alone after somebody wrote there, so that one command's many entries cost one look.</summary>
    public TimeSpan RepairPause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long an agent that starts waits for the API before it goes by the nodes that were seen last.</summary>
    public TimeSpan ApiPatience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a node may be without what it needs, such as its range, before anybody is told: new ones have it moments after they register.</summary>
    public TimeSpan TroublePatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>What is measured; the caller's to dispose. Null: nothing is.</summary>
    public AgentMetrics? Metrics { get; init; }

    /// <summary>Where <c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c> are answered, in the process's own network namespace. Null: nowhere.</summary>
    public IPEndPoint? HealthAddress { get; init; }

    /// <summary>The process is the agent's alone: it gives back memory that it needs no more.</summary>
    public bool OwnsProcess { get; init; }

    /// <summary>Asked at the start what the kernel does not give of what such a network needs; null: nobody asks.</summary>
    public Func<NetworkOptions, IReadOnlyList<LostFeature>>? Probe { get; init; }

    /// <summary>What every write to kernel and disk passes.</summary>
    public IWriteSeam Writes { get; init; } = IWriteSeam.None;

    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>The clock of back-off, coalescing and events.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
