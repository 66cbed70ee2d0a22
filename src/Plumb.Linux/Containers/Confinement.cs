using Microsoft.Win32.SafeHandles;
using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>What the calling thread gives up for good, before it becomes a program that strangers send.</summary>
public static class Confinement
{
    // asm-generic/resource.h
    private const int RLIMIT_CORE = 4;
    private const int RLIMIT_NPROC = 6;
    private const int RLIMIT_NOFILE = 7;
    private const int RLIMIT_MEMLOCK = 8;

    private const ulong MostFiles = 1024;

    /// <summary>
    /// Keeps fewer capabilities than a container runtime's default: none with which a namespace, a mount, the network's configuration or a kernel parameter could be changed.
    /// Programs give no more of them, the session's keys are out of reach, and so are the system calls that lead out of a container (seccomp(2)).
    /// </summary>
    /// <param name="processes">How many threads its user may have beside all that the machine has now; does not hold for the machine's root, whom a control group bounds.</param>
    /// <param name="members">The file of a control group's members, to go there: its limits are the program's, and not what came before. Null: none.</param>
    /// <exception cref="SystemCallException">The kernel refuses one of it: then the program must not run.</exception>
    /// <exception cref="IOException">The control group is gone.</exception>
    public static void Enter(int processes, SafeFileHandle? members)
    {
        var threads = ulong.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[3].Split('/')[1], System.Globalization.CultureInfo.InvariantCulture);
        Limit(RLIMIT_CORE, 0, "core");
        Limit(RLIMIT_NPROC, threads + (ulong)processes, "nproc");
        Limit(RLIMIT_NOFILE, MostFiles, "nofile");
        Limit(RLIMIT_MEMLOCK, 0, "memlock");
        // A kernel without keys has none to hide.
        if (Libc.JoinNewSessionKeyring() < 0 && Libc.LastErrno != Errno.ENOSYS)
        {
            throw SystemCallException.Last("keyctl", "a session's keyring of its own");
        }
        CapabilitySet.OfStrangers.Bound();
        if (members is not null)
        {
            RandomAccess.Write(members, "0"u8, 0);
        }
        // The group is the root of what it sees of them: its name tells of the user. A kernel without groups has no names.
        if (Libc.Unshare(Libc.CLONE_NEWCGROUP) < 0 && Libc.LastErrno != Errno.EINVAL)
        {
            throw SystemCallException.Last("unshare", "control group namespace");
        }
        Check(Libc.SetCapabilities(CapabilitySet.OfStrangers.Bits), "capset");
        StrangersCalls.Refuse();
    }

    /// <summary>When memory runs out it is this process that ends, and not the user's others. It is told before it can tell the kernel otherwise: /proc becomes read-only.</summary>
    public static void GoFirst() => File.WriteAllText("/proc/self/oom_score_adj", "1000");

    private static void Limit(int resource, ulong most, string name)
    {
        // A limit that is lower already is not to be lifted.
        Check(Libc.LowerLimit(resource, most), "prlimit64 " + name);
    }

    private static void Check(int result, string call)
    {
        if (result < 0)
        {
            throw SystemCallException.Last(call);
        }
    }
}
