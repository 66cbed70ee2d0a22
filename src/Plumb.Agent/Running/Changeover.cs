using Plumb.Linux.Iptables;
using Plumb.Linux.Kernel;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Agent.Running;

/// <summary>
/// The order in which one way of serving connections takes the place of another: what is new; then the ways into what is old; then what is old. Between
/// any two steps, and within each, every packet meets at least one way that is whole.
/// </summary>
/// <remarks>
/// While both are there, the first that translates a connection is the one that does: the kernel asks no second one (nf_nat_initialized). Each masquerades
/// only what it translated, one by the connection's mark and the other by a bit of the packet's. A packet that is on its way through the old rules
/// when their elements go would find nothing and be dropped: hence the ways in go first.
/// </remarks>
internal static class Changeover
{
    /// <summary>One step where nothing is replaced by something else that serves the same.</summary>
    public static IReadOnlyList<IReadOnlyList<DeltaItem>> Steps(IReadOnlyList<DeltaItem> items)
    {
        if (!items.Any(IsWayIn))
        {
            return [items];
        }
        var (made, ways, gone) = (new List<DeltaItem>(), new List<DeltaItem>(), new List<DeltaItem>());
        foreach (var item in items)
        {
            if (item.Want is not null || !Kernels.IsRules(item.Key.Kind))
            {
                made.Add(item);
            }
            else
            {
                // iptables' transactions take chains and the ways there together.
                (IsWayIn(item) || IptablesKernel.Handles(item.Key.Kind) ? ways : gone).Add(item);
            }
        }
        return [made, ways, gone];
    }

    private static bool IsWayIn(DeltaItem item) => item is { Want: null, Was: ChainEntry { Base: not null } or IptablesRuleEntry };
}
