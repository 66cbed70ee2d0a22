using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Node.Security;

/// <summary>From a container's `securityContext` to what its programs may do. Pure.</summary>
internal static class SecurityContexts
{
    private const string All = "ALL";

    /// <exception cref="ContainerStartException">It names a capability that there is not.</exception>
    public static ContainerSecurity Of(SecurityContext? context)
    {
        if (context is null)
        {
            return ContainerSecurity.Default;
        }
        var (add, drop) = (context.Capabilities?.Add ?? [], context.Capabilities?.Drop ?? []);
        // containerd's order (WithCapabilities): ALL first, so that single names are taken from it, or added to nothing.
        var capabilities = Has(drop) ? CapabilitySet.None : Has(add) ? CapabilitySet.All : CapabilitySet.OfContainers;
        capabilities = (capabilities | Named(add, "add")).Without(Named(drop, "drop"));
        return new ContainerSecurity(capabilities, IsStated: add.Count + drop.Count > 0 || context.AllowPrivilegeEscalation == false)
        {
            IsPrivileged = context.Privileged ?? false,
            NoNewPrivileges = context.AllowPrivilegeEscalation == false,
            IsUnmasked = context.ProcMount == "Unmasked",
        };
    }

    private static bool Has(IReadOnlyList<string> names) => names.Contains(All, StringComparer.OrdinalIgnoreCase);

    private static CapabilitySet Named(IReadOnlyList<string> names, string what)
    {
        var all = CapabilitySet.None;
        foreach (var name in names)
        {
            if (!name.Equals(All, StringComparison.OrdinalIgnoreCase))
            {
                all |= CapabilitySet.Find(name) ?? throw new ContainerStartException("CreateContainerError", $"securityContext.capabilities.{what}: unknown capability \"{name}\"; man 7 capabilities has their names");
            }
        }
        return all;
    }
}
