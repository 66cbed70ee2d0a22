using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Linux.Containers;

/// <summary>System calls that a program which strangers send has no use for, and that reach beyond it: namespaces, mounts, keys, other processes, the kernel's code, and what is of no namespace.</summary>
internal static class StrangersCalls
{
    // asm/unistd.h of x86-64 and of 64-bit ARM
    private static readonly (uint X64, uint Arm64)[] Refused =
    [
        (272, 97), (308, 268), // unshare, setns
        (165, 40), (166, 39), (155, 41), (428, 428), (429, 429), (442, 442), (467, 467), // mount, umount2, pivot_root, open_tree, move_mount, mount_setattr, open_tree_attr
        (430, 430), (431, 431), (432, 432), (433, 433), // fsopen, fsconfig, fsmount, fspick
        (248, 217), (249, 218), (250, 219), // add_key, request_key, keyctl
        (101, 117), (310, 270), (311, 271), (438, 438), (312, 272), // ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, kcmp
        (321, 280), (298, 241), (323, 282), (425, 425), (426, 426), (427, 427), // bpf, perf_event_open, userfaultfd, io_uring_setup, io_uring_enter, io_uring_register
        (246, 104), (320, 294), (175, 105), (313, 273), (176, 106), // kexec_load, kexec_file_load, init_module, finit_module, delete_module
        (303, 264), (304, 265), // name_to_handle_at, open_by_handle_at
        (179, 60), (443, 443), (167, 224), (168, 225), (169, 142), (103, 116), // quotactl, quotactl_fd, swapon, swapoff, reboot, syslog
    ];

    // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET. Not AF_ALG, and not AF_VSOCK, which is of no network namespace.
    private static readonly uint[] Families = [1, 2, 10, 16, 17];

    private const uint NewNamespaces = Libc.CLONE_NEWNS | Libc.CLONE_NEWCGROUP | Libc.CLONE_NEWUTS | Libc.CLONE_NEWIPC | Libc.CLONE_NEWUSER | Libc.CLONE_NEWPID | Libc.CLONE_NEWNET;

    /// <summary>Refuses them with EPERM, for the calling thread and what it becomes.</summary>
    /// <exception cref="SystemCallException">The kernel has no seccomp filters.</exception>
    /// <exception cref="PlatformNotSupportedException">The calls' numbers are not known.</exception>
    public static void Refuse()
    {
        if (!SeccompFilter.IsPossible)
        {
            throw new PlatformNotSupportedException("commands that clients send run on x86-64 and 64-bit ARM only: no seccomp filter is written for another processor");
        }
        var filter = new SeccompFilter(SeccompFilter.KillProcess);
        filter.RefuseX32();
        var refusal = SeccompFilter.Error(Errno.EPERM);
        foreach (var (x64, arm64) in Refused)
        {
            filter.Refuse(SeccompFilter.Number(x64, arm64), refusal);
        }
        // clone3, whose flags are in memory, out of a filter's sight: as if the kernel were older, after which programs use clone.
        filter.Refuse(SeccompFilter.Number(435, 435), SeccompFilter.Error(Errno.ENOSYS));
        // clone; socket, socketpair
        filter.RefuseBits(SeccompFilter.Number(56, 220), NewNamespaces, refusal);
        filter.RefuseOthers(SeccompFilter.Number(41, 198), Families, refusal);
        filter.RefuseOthers(SeccompFilter.Number(53, 199), Families, refusal);
        filter.Enter();
    }
}
