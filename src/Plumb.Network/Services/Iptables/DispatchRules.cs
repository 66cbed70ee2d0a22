namespace Plumb.Network.Services.Iptables;

/// <summary>The rules of Services in the chains that all of them share, chain by chain.</summary>
internal sealed class DispatchRules : IEquatable<DispatchRules>
{
    /// <summary>nat KUBE-SERVICES: addresses to chains of their own.</summary>
    public List<string> Services { get; } = [];

    /// <summary>nat KUBE-NODEPORTS.</summary>
    public List<string> NodePorts { get; } = [];

    /// <summary>filter KUBE-SERVICES: ClusterIPs with nobody behind them.</summary>
    public List<string> Refused { get; } = [];

    /// <summary>filter KUBE-EXTERNAL-SERVICES: other addresses and node ports with nobody behind them.</summary>
    public List<string> RefusedOutside { get; } = [];

    /// <summary>filter KUBE-PROXY-FIREWALL: balancers' addresses, for who may not come.</summary>
    public List<string> Guarded { get; } = [];

    /// <summary>filter KUBE-NODEPORTS: health checks.</summary>
    public List<string> HealthChecks { get; } = [];

    public bool Equals(DispatchRules? other) =>
        other is not null
        && Services.SequenceEqual(other.Services)
        && NodePorts.SequenceEqual(other.NodePorts)
        && Refused.SequenceEqual(other.Refused)
        && RefusedOutside.SequenceEqual(other.RefusedOutside)
        && Guarded.SequenceEqual(other.Guarded)
        && HealthChecks.SequenceEqual(other.HealthChecks);

    public override bool Equals(object? obj) => Equals(obj as DispatchRules);

    public override int GetHashCode() => HashCode.Combine(Services.Count, NodePorts.Count, Refused.Count, RefusedOutside.Count);
}
