using Plumb.Linux.Native;
using Plumb.Linux.State;
using Plumb.Linux.Sysctls;

namespace Plumb.Linux.Kernel;

/// <summary>Kernel parameters of namespaces.</summary>
internal static class SysctlFamily
{
    private static readonly KernelFacts NoFacts = new();

    /// <summary>Reads the parameters at these paths; those that do not exist are left out.</summary>
    public static void Observe(KernelNamespace kernel, IReadOnlyList<string> paths, ObservedState into)
    {
        if (paths.Count == 0)
        {
            return;
        }
        var files = SysctlFile.Open(kernel.Network, paths, OpenFlags.ReadOnly);
        for (var i = 0; i < files.Length; i++)
        {
            using var file = files[i].File;
            if (file is not null && SysctlFile.Read(file) is { } value)
            {
                // A parameter is the kernel's; only its value is somebody's.
                into.Set(new Observed(new SysctlEntry(kernel.Id, paths[i], value), Owner.Kernel, null, NoFacts));
            }
        }
    }

    /// <param name="opening">Those that let packets in which only rules keep out: they are set when the rules are there. Else all others.</param>
    public static void Apply(KernelNamespace kernel, List<DeltaItem> items, bool opening, IWriteSeam seam, List<Refusal> refusals)
    {
        var changes = items.FindAll(item => item.Want?.Entry is SysctlEntry { Path: var path } && path.EndsWith("/route_localnet", StringComparison.Ordinal) == opening);
        if (changes.Count == 0)
        {
            return;
        }
        var files = SysctlFile.Open(kernel.Network, changes.ConvertAll(static item => ((SysctlEntry)item.Want!.Entry).Path), OpenFlags.WriteOnly);
        for (var i = 0; i < files.Length; i++)
        {
            var (file, errno) = files[i];
            using (file)
            {
                if (file is not null)
                {
                    seam.BeforeWrite(changes[i].Key.ToString());
                    errno = SysctlFile.Write(file, ((SysctlEntry)changes[i].Want!.Entry).Value);
                }
                if (errno != Errno.None)
                {
                    refusals.Add(new Refusal(changes[i], errno.Describe()));
                }
            }
        }
    }
}
