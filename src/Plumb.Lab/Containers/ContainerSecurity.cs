using Plumb.Linux.Containers;

namespace Plumb.Lab.Containers;

/// <summary>`securityContext` of a container: what it may do, as a kubelet asks for it and containerd gives it.</summary>
/// <param name="Capabilities">What `capabilities` makes of the runtime's own set.</param>
/// <param name="IsStated">It says something of capabilities or escalation: then it counts where the machine's files stand in for an image, too.</param>
public sealed record ContainerSecurity(CapabilitySet Capabilities, bool IsStated)
{
    /// <summary>Of a container that says nothing.</summary>
    public static ContainerSecurity Default { get; } = new(CapabilitySet.OfContainers, IsStated: false);

    /// <summary>`privileged`: all that the lab itself has.</summary>
    public bool IsPrivileged { get; init; }

    /// <summary>`allowPrivilegeEscalation: false`</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>`procMount: Unmasked`</summary>
    public bool IsUnmasked { get; init; }

    /// <summary>Whether the container may find the kernel's files as they are. Not where the lab's root is the machine's: it would be obeyed there.</summary>
    internal bool ShowsKernel => IsPrivileged || (IsUnmasked && ContainerUser.IsNested);

    /// <summary>Null: all that the lab has. The machine's own programs have that unless their container says otherwise.</summary>
    internal Privileges? Of(bool hasImage) => IsPrivileged || !(hasImage || IsStated) ? null : new Privileges(Capabilities) { NoNew = NoNewPrivileges };
}
