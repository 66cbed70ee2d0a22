using Plumb.Agent.Kernel;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using Plumb.Network;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Agent.Probing;

/// <summary>What a kernel, or who may ask it, does not give.</summary>
/// <param name="Line">What it is, what it said, and what is lost.</param>
/// <param name="IsNeeded">Without it no pod can be wired.</param>
public sealed record LostFeature(string Line, bool IsNeeded);

/// <summary>
/// Tries what a plan asks of the kernel where it hurts nobody: in two network namespaces of its own, which are gone afterwards. What is refused there would be refused on the node,
/// one entry after another; here it is said once, with what is lost.
/// </summary>
public static class KernelProbe
{
    private const string IPv6 = "IPv6 (CONFIG_IPV6; ipv6.disable=1 turns it off)";

    private static readonly Dictionary<string, string> Kinds = new(StringComparer.Ordinal)
    {
        ["veth"] = "veth pairs (CONFIG_VETH)",
        ["bridge"] = "bridges (CONFIG_BRIDGE)",
        ["vxlan"] = "vxlan devices (CONFIG_VXLAN, Linux 3.7)",
        ["ifb"] = "ifb devices (CONFIG_IFB)",
    };

    /// <summary>In the order in which they matter.</summary>
    /// <param name="options">What is to be served, and how.</param>
    public static IReadOnlyList<LostFeature> Run(NetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            using var pod = NetworkNamespace.Create();
            using var kernel = new NodeKernel(ImaginaryNode.Home, NetworkNamespace.Create(), IWriteSeam.None);
            return Run(options, kernel, pod.ProcPath);
        }
        catch (SystemCallException refused)
        {
            return [new LostFeature($"what the kernel can do is not known: no network namespace can be made to try it in: {refused.Message}", IsNeeded: false)];
        }
    }

    /// <param name="kernel">Of a namespace with nothing in it.</param>
    /// <param name="podPath">Of another.</param>
    internal static IReadOnlyList<LostFeature> Run(NetworkOptions options, INodeKernel kernel, string podPath)
    {
        kernel.Enter(ImaginaryNode.Inside, podPath, null);
        var lost = new List<LostFeature>();
        var machine = kernel.Apply([.. ImaginaryNode.Machine(options).Select(static entry => new DeltaItem(new Desired(entry, null), null))]);
        var planner = ImaginaryNode.Plan(options);
        var parameters = planner.Desired.Entries.Keys.Where(static key => key.Kind == EntryKind.Sysctl).ToLookup(static key => key.Namespace);
        var together = new ObservedState();
        foreach (var space in (ReadOnlySpan<NamespaceId>)[ImaginaryNode.Home, ImaginaryNode.Inside])
        {
            foreach (var observed in kernel.Observe(space, parameters[space]).Entries.Values)
            {
                together.Set(observed);
            }
        }
        var delta = kernel.Difference(planner.Desired, together, [ImaginaryNode.Home, ImaginaryNode.Inside]);
        lost.AddRange(Told([.. machine, .. kernel.Apply(delta.Items)], planner.Index, options));
        try
        {
            kernel.Forget(new HashSet<ConnectionMark> { default });
        }
        catch (NetlinkException refused)
        {
            lost.Add(new LostFeature($"{Release} lacks conntrack over netlink (CONFIG_NF_CT_NETLINK): {refused.Message}; connections to endpoints that are gone go on until they time out", IsNeeded: false));
        }
        return lost;
    }

    private static bool IsOfNode(Entry? entry) => entry is LinkEntry or SysctlEntry or AddressEntry || (entry is not null && Kernels.IsRules(entry.Kind));

    private static string Release => $"Linux {Environment.OSVersion.Version}";

    // One line for each feature; what fails because the device is not there is no news.
    private static IEnumerable<LostFeature> Told(IReadOnlyList<EntryFailure> failures, DesiredIndex index, NetworkOptions options)
    {
        var devices = failures.Where(static failure => failure.Key.Kind == EntryKind.Link).Select(static failure => failure.Key.Name).ToList();
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var failure in failures.OrderBy(static failure => failure.Key.Kind))
        {
            if (failure.Key.Kind != EntryKind.Link && devices.Any(device => failure.Key.Name.Contains(device, StringComparison.Ordinal)))
            {
                continue;
            }
            var entry = index.State.Entries.GetValueOrDefault(failure.Key)?.Entry ?? ImaginaryNode.Machine(options).FirstOrDefault(one => one.Key == failure.Key);
            var feature = FeatureOf(failure.Key.Kind, entry);
            if (told.Add(feature))
            {
                var (without, isNeeded) = Without(index.Why(failure.Key), entry);
                yield return new LostFeature($"{Release} lacks {feature}: {failure.Message}; {without}", isNeeded);
            }
        }
    }

    private static string FeatureOf(EntryKind kind, Entry? entry) => entry switch
    {
        LinkEntry link => Kinds.GetValueOrDefault(link.Type.KindName) ?? $"{link.Type.KindName} devices",
        QdiscEntry { Discipline: QdiscEntry.TokenBucketFilter } => "the queue tbf (CONFIG_NET_SCH_TBF)",
        QdiscEntry => "the queue clsact (CONFIG_NET_SCH_INGRESS, Linux 4.5)",
        FilterEntry => "filters u32 with the action mirred (CONFIG_NET_CLS_U32, CONFIG_NET_ACT_MIRRED)",
        SysctlEntry => "kernel parameters that can be written (/proc/sys is read-only, or is not this user's)",
        AddressEntry { Address.Family: IpFamily.V6 } => IPv6,
        _ when Kernels.IsRules(kind) => "nf_tables with NAT, maps and connection tracking (CONFIG_NF_TABLES, CONFIG_NFT_NAT, CONFIG_NFT_CT, Linux 5.6)",
        // Kinds that every kernel has: what was refused is one of their features.
        _ => $"what `{entry?.Print() ?? kind.ToString()}` asks for",
    };

    private static (string Line, bool IsNeeded) Without(IReadOnlyList<Origin> causes, Entry? entry) =>
        causes.Count != 0 && causes.All(static cause => cause.Subject.Kind == SubjectKind.Mirror) ? ("`plumb mirror` cannot copy packets from or to this node", false)
        : causes.Count != 0 && causes.All(static cause => cause.Field.Contains("bandwidth", StringComparison.Ordinal) || cause.Subject.Kind == SubjectKind.Mirror)
            ? ("pods are as fast as they can, whatever kubernetes.io/ingress-bandwidth and egress-bandwidth say", false)
        : !IsOfNode(entry) ? ("what needs it does not work", false)
        : entry is LinkEntry { Type: LinkType.Vxlan } ? ("nodes on one wire need it not: --overlay routed", true)
        : ("no pod can be wired here", true);
}
