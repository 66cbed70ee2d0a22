using Plumb.Kubernetes.Objects;
using Plumb.Lab.Cni;
using Plumb.Lab.Containers;
using Plumb.Lab.Node.Resizing;
using Container = Plumb.Kubernetes.Objects.Container;

namespace Plumb.Lab.Node;

/// <summary>From the fields of a Pod to what the node's container runtime runs. Pure.</summary>
internal static class ContainerSpecs
{
    /// <summary>A timer counts to 49 days; no lab lives that long.</summary>
    public const long MostSeconds = 4_000_000;

    private const long DefaultGraceSeconds = 30;

    /// <summary>How long its containers have to end: what the deletion says, else what the pod does.</summary>
    public static TimeSpan GraceOf(Pod pod) =>
        TimeSpan.FromSeconds(Math.Clamp(pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? DefaultGraceSeconds, 0, MostSeconds));

    public static RestartPolicy RestartPolicyOf(Pod pod) => pod.Spec.RestartPolicy switch
    {
        "Never" => RestartPolicy.Never,
        "OnFailure" => RestartPolicy.OnFailure,
        _ => RestartPolicy.Always,
    };

    /// <param name="environment">The container's variables, references to other objects resolved.</param>
    /// <param name="mounts">The container's volumes, at their places on the machine.</param>
    public static ContainerSpec Main(
        Pod pod, Container container, IReadOnlyList<EnvironmentVariable> environment, IReadOnlyList<ContainerMount> mounts) =>
        Of(pod, container, RestartPolicyOf(pod), environment, mounts);

    /// <inheritdoc cref="Main"/>
    /// <remarks>An init container that fails is tried again unless the pod says `Never`; one that succeeds has done its work.</remarks>
    public static ContainerSpec Init(
        Pod pod, Container container, IReadOnlyList<EnvironmentVariable> environment, IReadOnlyList<ContainerMount> mounts) =>
        Of(
            pod,
            container,
            IsSidecar(container) ? RestartPolicy.Always : RestartPolicyOf(pod) == RestartPolicy.Never ? RestartPolicy.Never : RestartPolicy.OnFailure,
            environment,
            mounts);

    /// <inheritdoc cref="Main"/>
    /// <remarks>An ephemeral container is never started again. The images that people debug with have a shell as their own command.</remarks>
    public static ContainerSpec Ephemeral(
        Pod pod, Container container, IReadOnlyList<EnvironmentVariable> environment, IReadOnlyList<ContainerMount> mounts)
    {
        var spec = Of(pod, container, RestartPolicy.Never, environment, mounts);
        return spec.Command.Count > 0 ? spec : spec with { Command = ["/bin/sh"] };
    }

    /// <summary>An init container that goes on beside the main ones.</summary>
    public static bool IsSidecar(Container container) => container.RestartPolicy == "Always";

    private static ContainerSpec Of(
        Pod pod, Container container, RestartPolicy restart, IReadOnlyList<EnvironmentVariable> environment, IReadOnlyList<ContainerMount> mounts) =>
        new(container.Name, container.Image ?? "", container.Command, container.Args)
        {
            Environment = environment,
            Ports = [.. container.Ports.Select(static port => new Containers.ContainerPort((ushort)port.Number, ProtocolOf(port), port.Name ?? ""))],
            Mounts = mounts,
            WorkingDirectory = container.WorkingDir,
            RestartPolicy = restart,
            User = UserOf(pod.Spec.SecurityContext, container.SecurityContext),
            Groups = [.. (pod.Spec.SecurityContext?.SupplementalGroups ?? []).Concat(pod.Spec.SecurityContext?.FsGroup is { } group ? [group] : []).Select(static one => (uint)one).Distinct()],
            ReadOnlyRoot = container.SecurityContext?.ReadOnlyRootFilesystem ?? false,
            NotRoot = container.SecurityContext?.RunAsNonRoot ?? pod.Spec.SecurityContext?.RunAsNonRoot ?? false,
            Target = container.TargetContainerName,
            Limits = LimitsOf(container.Resources),
            MessagePath = container.TerminationMessagePath,
            MessageFromLog = container.TerminationMessagePolicy == "FallbackToLogsOnError",
            Terminal = container.Tty,
            Stdin = container.Stdin,
            StdinOnce = container.StdinOnce,
        };

    /// <summary>What the container says counts before what the pod says.</summary>
    private static string UserOf(SecurityContext? pod, SecurityContext? container)
    {
        var (user, group) = (container?.RunAsUser ?? pod?.RunAsUser, container?.RunAsGroup ?? pod?.RunAsGroup);
        return user is null ? "" : group is null ? $"{user}" : $"{user}:{group}";
    }

    public static ContainerLimits LimitsOf(ResourceRequirements? resources)
    {
        if (resources is null)
        {
            return ContainerLimits.None;
        }
        var processors = ResourceAmounts.Of(resources.Limits, "cpu");
        return new ContainerLimits(ResourceAmounts.Of(resources.Limits, "memory"), processors, ResourceAmounts.Of(resources.Requests, "cpu") ?? processors);
    }

    private static PortProtocol ProtocolOf(Kubernetes.Objects.ContainerPort port) => port.Protocol switch
    {
        "UDP" => PortProtocol.Udp,
        "SCTP" => PortProtocol.Sctp,
        _ => PortProtocol.Tcp,
    };

    /// <summary>Ports of the node that are to lead to the pod's (<c>hostPort</c>).</summary>
    public static IReadOnlyList<PortMapping> PortMappings(Pod pod)
    {
        List<PortMapping>? mappings = null;
        foreach (var container in pod.Spec.Containers)
        {
            foreach (var port in container.Ports)
            {
                if (port.HostPort != 0)
                {
                    (mappings ??= []).Add(new PortMapping(port.HostPort, port.Number, port.Protocol.ToLowerInvariant(), port.HostIP ?? ""));
                }
            }
        }
        return mappings ?? [];
    }
}
