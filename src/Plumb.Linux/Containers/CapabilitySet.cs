using System.Globalization;
using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>Capabilities (capabilities(7)), the one numbered N in linux/capability.h as bit N.</summary>
public readonly record struct CapabilitySet(ulong Bits)
{
    private const int PR_CAPBSET_DROP = 24;
    private const int PR_CAP_AMBIENT = 47;
    private const nuint PR_CAP_AMBIENT_CLEAR_ALL = 4;
    private const int Most = 64;

    // linux/capability.h, from 0 on.
    private static readonly string[] Names =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST",
        "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM",
        "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ];

    public static CapabilitySet None => default;

    /// <summary>All that have a name.</summary>
    public static CapabilitySet All { get; } = new((1UL << Names.Length) - 1);

    /// <summary>What containerd leaves a container that asks for nothing (its <c>oci.WithDefaultSpec</c>; Docker and CRI-O have nearly the same).</summary>
    public static CapabilitySet OfContainers { get; } = Of(
        "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE");

    /// <summary>Fewer, for commands that strangers send: without SETUID they stay the user whose processes are counted.</summary>
    internal static CapabilitySet OfStrangers { get; } = Of("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "NET_RAW", "SYS_CHROOT");

    public static CapabilitySet operator |(CapabilitySet one, CapabilitySet other) => new(one.Bits | other.Bits);

    public CapabilitySet Without(CapabilitySet others) => new(Bits & ~others.Bits);

    /// <summary>One by its name, with or without <c>CAP_</c>, in either case; null: there is none of this name.</summary>
    public static CapabilitySet? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var bare = name.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase) ? name[4..] : name;
        var number = Array.FindIndex(Names, one => one.Equals(bare, StringComparison.OrdinalIgnoreCase));
        return number < 0 ? null : new(1UL << number);
    }

    /// <summary>As setpriv(1) takes it, by numbers: it may know fewer names than the kernel.</summary>
    internal string ToOption()
    {
        var bits = Bits;
        return "-all" + string.Concat(Enumerable.Range(0, Most).Where(number => (bits >> number & 1) != 0).Select(static number => string.Create(CultureInfo.InvariantCulture, $",+cap_{number}")));
    }

    /// <summary>From now on programs give the calling thread no others: its bounding set is this one at most, and none are ambient.</summary>
    /// <exception cref="SystemCallException">The thread has no CAP_SETPCAP.</exception>
    internal void Bound()
    {
        Check(Libc.ProcessControl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0), "prctl(PR_CAP_AMBIENT)");
        for (var capability = 0; capability < Most; capability++)
        {
            if ((Bits >> capability & 1) == 0 && Libc.ProcessControl(PR_CAPBSET_DROP, (nuint)capability, 0) < 0)
            {
                // There are no more.
                Check(Libc.LastErrno == Errno.EINVAL ? 0 : -1, "prctl(PR_CAPBSET_DROP)");
                break;
            }
        }
    }

    private static CapabilitySet Of(params string[] names) => new(names.Aggregate(0UL, static (bits, name) => bits | Find(name)!.Value.Bits));

    private static void Check(int result, string call)
    {
        if (result < 0)
        {
            throw SystemCallException.Last(call);
        }
    }
}
