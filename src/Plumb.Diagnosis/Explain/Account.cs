using Plumb.Kubernetes.Objects;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Diagnosis.Explain;

/// <summary>
/// Accounts for every entry of a node: what a kernel holds, laid beside what was planned for it. Pure; whether the state comes
/// from a running kernel, a lab or a file is not its business.
/// </summary>
public static class Account
{
    /// <param name="observed">What the kernels hold.</param>
    /// <param name="planned">What Plumb wants there: the text and the origins of each entry. Empty where no agent runs.</param>
    /// <param name="services">What an API knows, by which chains with hashed names are recognised; null: there is none.</param>
    /// <returns>In order of namespace, kind and natural key.</returns>
    public static IReadOnlyList<Explanation> Of(ObservedState observed, IReadOnlyDictionary<EntryKey, PlannedReason> planned, IReadOnlyList<Service>? services = null)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(planned);
        var (kernel, writers) = (new KernelReasons(observed), new KnownWriters(observed, services ?? []));
        var all = new List<Explanation>(observed.Count);
        foreach (var (key, held) in observed.Entries)
        {
            // A parameter was read because a plan has an interest in it; who else set it, the kernel does not keep.
            if (key.Kind != EntryKind.Sysctl || planned.ContainsKey(key))
            {
                all.Add(Explain(held, observed, kernel, writers, planned.GetValueOrDefault(key)));
            }
        }
        foreach (var (key, reason) in planned)
        {
            if (!observed.Entries.ContainsKey(key))
            {
                all.Add(new Explanation(key, reason.Text, Standing.Missing, $"planned for {Names(reason.Causes, reason.MoreCauses)}, and the kernel does not hold it", reason.Causes));
            }
        }
        all.Sort(static (left, right) => left.Key.CompareTo(right.Key));
        return all;
    }

    /// <summary>Accounts for one entry; null: the kernel does not hold it.</summary>
    public static Explanation? Of(EntryKey key, ObservedState observed, PlannedReason? planned)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Entries.TryGetValue(key, out var held) ? Explain(held, observed, new KernelReasons(observed), new KnownWriters(observed, []), planned) : null;
    }

    private static Explanation Explain(Observed held, ObservedState all, KernelReasons kernel, KnownWriters writers, PlannedReason? reason)
    {
        var entry = held.Entry;
        var text = RulesetText.Print(entry, key => all.Entries.GetValueOrDefault(key)?.Entry);
        if (reason is not null)
        {
            return new Explanation(entry.Key, text, Standing.Planned, $"Plumb's, for {Names(reason.Causes, reason.MoreCauses)}", reason.Causes);
        }
        if (held.Owner == Owner.Plumb)
        {
            var causes = held.Stamp is { } stamp && Origin.TryParse(stamp, out var origin) ? (IReadOnlyList<Origin>)[origin!] : [];
            var from = causes.Count == 0 ? "" : $" for {Names(causes)}";
            return new Explanation(entry.Key, text, Standing.LeftOver, $"bears Plumb's mark{from}, and no plan wants it: an agent takes it away, or none runs", causes);
        }
        if (held.Owner == Owner.Kernel || KernelReasons.IsKernels(entry))
        {
            return kernel.Of(entry) is { } why
                ? new Explanation(entry.Key, text, Standing.Kernel, $"the kernel's own: {why}", [])
                : new Explanation(entry.Key, text, Standing.Unexplained, "bears the kernel's mark, and what it would follow from is not there", []);
        }
        return writers.Recognise(held) is { } known
            ? new Explanation(entry.Key, text, Standing.Known, known, []) { Rules = entry is IptablesChainEntry chain ? writers.Chains.Rules(chain) : [] }
            : new Explanation(entry.Key, text, Standing.Unexplained, KnownWriters.Hint(entry), []);
    }

    private static string Names(IReadOnlyList<Origin> causes, int more = 0)
    {
        const int shown = 3;
        var names = string.Join(", ", causes.Take(shown));
        more += Math.Max(0, causes.Count - shown);
        return more > 0 ? $"{names} and {more} more" : names;
    }
}

/// <summary>Why a plan wants an entry.</summary>
/// <param name="Text">The entry as planned, in the words of ip, bridge, sysctl or nft.</param>
public sealed record PlannedReason(string Text, IReadOnlyList<Origin> Causes)
{
    /// <summary>How many causes there are that are not named.</summary>
    public int MoreCauses { get; init; }
}
