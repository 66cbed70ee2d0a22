using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Security;

namespace Plumb.Lab.Node.Files;

/// <summary>What the containers of a pod have in common, from its object and its sandbox.</summary>
internal static class SandboxFacts
{
    /// <param name="prepare">See <see cref="PodFacts.Prepare"/>.</param>
    public static PodFacts Of(NodeContext node, PodName name, Pod pod, PodSandbox sandbox, Func<CancellationToken, Task> prepare)
    {
        var hostName = PodFiles.HostName(pod, node.Name);
        return new PodFacts(new ObjectKey("Pod", name.Namespace, name.Name), name.Uid, node.Name, sandbox.Network, sandbox.Addresses)
        {
            NodeAddresses = node.Report.Addresses,
            HostName = hostName,
            Processes = pod.Spec is { ShareProcessNamespace: true, HostPID: false } ? new PodProcesses(sandbox.Network, hostName) : null,
            Prepare = prepare,
            HasNodeProcesses = pod.Spec.HostPID,
            HasNodeIpc = pod.Spec.HostIPC,
            IpcParameters = PodSysctls.IpcOf(pod),
            HostsFile = PodFiles.Hosts(pod, sandbox.Addresses, hostName),
            ResolverFile = ResolverOf(node, name, pod),
            ServiceAccountName = pod.Spec.ServiceAccountName ?? "default",
            Labels = pod.Metadata.Labels,
            Annotations = pod.Metadata.Annotations,
            ServiceEnvironment = node.Services.Of(name.Namespace, pod.Spec.EnableServiceLinks ?? true),
        };
    }

    private static string ResolverOf(NodeContext node, PodName name, Pod pod)
    {
        var file = ResolverFile.Of(pod, node.DnsServers, node.ResolverFile);
        foreach (var what in file.Cut)
        {
            node.Events.Add(PodEvent.DnsConfigForming(name, what));
        }
        return file.Text;
    }
}
