using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Linux.Containers;

/// <summary>What of <c>/proc</c> and <c>/sys</c> is the machine's and no container's, as a kubelet tells its runtime (pkg/securitycontext, <c>defaultMaskedPaths</c>, <c>defaultReadonlyPaths</c>).</summary>
internal static class KernelFiles
{
    private static readonly string[] Hidden =
    [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    private static readonly string[] ReadOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <summary>Covers what tells of the machine, and some more.</summary>
    /// <param name="root">Below which <c>/proc</c> and <c>/sys</c> are mounted.</param>
    /// <exception cref="SystemCallException">The kernel refuses one of the mounts.</exception>
    public static void Hide(string root, params ReadOnlySpan<string> more)
    {
        foreach (var path in (ReadOnlySpan<string>)[.. Hidden, .. more])
        {
            var place = root + path;
            if (Directory.Exists(place))
            {
                if (Libc.Mount("tmpfs", place, "tmpfs", Libc.MS_RDONLY | Libc.MS_NOSUID | Libc.MS_NODEV | Libc.MS_NOEXEC, "size=4k,mode=0555") < 0)
                {
                    throw SystemCallException.Last("mount -t tmpfs", place);
                }
            }
            else if (File.Exists(place))
            {
                new BindMount("/dev/null", place, ReadOnly: true).Make(place);
            }
        }
    }

    /// <summary>Makes read-only by what the machine, or the pod's network, could be changed.</summary>
    /// <inheritdoc cref="Hide"/>
    public static void Protect(string root)
    {
        foreach (var path in ReadOnly)
        {
            var place = root + path;
            if (Path.Exists(place))
            {
                new BindMount(place, place, ReadOnly: true).Make(place);
            }
        }
    }

}
