using Plumb.Kubernetes.Objects;
using Plumb.Linux.Containers;
using Plumb.Linux.Sysctls;

namespace Plumb.Lab.Node.Security;

/// <summary>`spec.securityContext.sysctls`: kernel parameters of a pod's own namespaces. Pure.</summary>
internal static class PodSysctls
{
    private const string PortStart = "net.ipv4.ip_unprivileged_port_start";
    private const string PingGroups = "net.ipv4.ping_group_range";

    // A kubelet's safeSysctls (pkg/kubelet/sysctl): of a namespace, and of no weight for other pods.
    private static readonly HashSet<string> Safe = new(StringComparer.Ordinal)
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", PingGroups, PortStart, "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    };

    /// <summary>Why the node does not take the pod, in a kubelet's words; null: it does.</summary>
    public static string? Refusal(Pod pod)
    {
        foreach (var (name, _) in Of(pod))
        {
            if (!Safe.Contains(name))
            {
                return $"forbidden sysctl: \"{name}\" not allowlisted";
            }
            if (IsOfNetwork(name) ? pod.Spec.HostNetwork : pod.Spec.HostIPC)
            {
                return $"forbidden sysctl: \"{name}\" not allowed with host {(IsOfNetwork(name) ? "Net" : "IPC")} enabled";
            }
        }
        return null;
    }

    /// <summary>What is written in its network namespace before anything runs there.</summary>
    /// <remarks>
    /// With containerd 2's defaults (`enable_unprivileged_ports`, `enable_unprivileged_icmp`; of 1.x they are off): whoever a container runs as, it may listen on any port and
    /// send echo requests. In an ordinary user's lab the latter are for the groups that it has: there containerd itself leaves it out.
    /// </remarks>
    public static IReadOnlyList<KernelParameter> NetworkOf(Pod pod)
    {
        var parameters = new List<KernelParameter>();
        var own = Of(pod);
        if (!own.Exists(static one => one.Name == PortStart))
        {
            parameters.Add(new KernelParameter(PathOf(PortStart), "0", IsOptional: true));
        }
        if (!own.Exists(static one => one.Name == PingGroups))
        {
            parameters.Add(new KernelParameter(PathOf(PingGroups), $"0 {LastGroup.Value}", IsOptional: true));
        }
        parameters.AddRange(own.Where(static one => IsOfNetwork(one.Name)).Select(static one => new KernelParameter(PathOf(one.Name), one.Value)));
        return parameters;
    }

    /// <summary>What is written in each of its containers' ipc namespaces.</summary>
    public static IReadOnlyList<KernelParameter> IpcOf(Pod pod) => [.. Of(pod).Where(static one => !IsOfNetwork(one.Name)).Select(static one => new KernelParameter(PathOf(one.Name), one.Value))];

    // The kernel takes groups of the user namespace only, and none above what an int holds.
    private static readonly Lazy<uint> LastGroup = new(static () => Math.Min(ContainerUser.LastGroup, int.MaxValue));

    private static List<(string Name, string Value)> Of(Pod pod) => [.. (pod.Spec.SecurityContext?.Sysctls ?? []).Select(static one => (Normal(one.Name), one.Value))];

    /// <summary>Parted by dots: who begins with a slash as the separator means a dot by a dot within a name (sysctl(8)).</summary>
    private static string Normal(string name) => name.IndexOfAny(['.', '/']) is >= 0 and var first && name[first] == '/' ? PathOf(name) : name;

    // It goes both ways.
    private static string PathOf(string name) => string.Create(name.Length, name, static (path, from) =>
    {
        for (var i = 0; i < from.Length; i++)
        {
            path[i] = from[i] switch { '.' => '/', '/' => '.', var other => other };
        }
    });

    private static bool IsOfNetwork(string name) => name.StartsWith("net.", StringComparison.Ordinal);
}
