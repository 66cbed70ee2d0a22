using Plumb.Linux.Kernel;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Diagnosis.Worlds;

/// <summary>What kernels hold, but of Plumb's sets, which may have a hundred thousand elements, only those that somebody asks about: each by one question.</summary>
public static class KernelExcerpt
{
    /// <param name="parameters">As <see cref="Kernels.Observe"/> has it.</param>
    /// <param name="elements">Of a plan; those that are not planned are not told, but where packets put elements.</param>
    public static ObservedState Observe(Kernels kernels, IReadOnlyCollection<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IEnumerable<PlannedEntry> elements)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var state = kernels.Observe(spaces, KernelSource.AllButElements, parameters);
        var bySet = elements.Where(static entry => entry.ElementKey is not null).ToLookup(static entry => (entry.Key.Namespace, SetOf(entry.Name)), static entry => entry.ElementKey!);
        foreach (var set in state.Entries.Values.Select(static held => held.Entry).OfType<SetEntry>().ToList())
        {
            foreach (var found in IsAskedByKey(set.Schema) ? Some(kernels, set, bySet[(set.Namespace, set.Key.Name)]) : All(kernels, set))
            {
                state.Set(found);
            }
        }
        return state;
    }

    private static bool IsAskedByKey(SetSchema schema) => schema.Table.IsPlumbs && (schema.Flags & (SetFlags.Interval | SetFlags.Dynamic)) == 0;

    private static IEnumerable<Observed> Some(Kernels kernels, SetEntry set, IEnumerable<string> keys) =>
        keys.Select(key => kernels.Element(set.Namespace, set, Octets.Adopt(Convert.FromHexString(key)))).OfType<Observed>();

    private static IReadOnlyList<Observed> All(Kernels kernels, SetEntry set)
    {
        try
        {
            return kernels.Elements(set.Namespace, set);
        }
        catch (NetlinkException gone) when (gone.Errno == Errno.ENOENT)
        {
            // It went since the rules were read.
            return [];
        }
    }

    // "ip plumb frontends 10.96.0.10 . tcp . 53"
    private static string SetOf(string element)
    {
        var end = -1;
        for (var word = 0; word < 3; word++)
        {
            end = element.IndexOf(' ', end + 1);
        }
        return element[..end];
    }
}
