using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Linux.Containers;

/// <summary>
/// The root file system of a command that strangers send: the machine's programs and libraries, a few files that are written for it, and what is mounted there for it
/// to write to. Nothing else of the machine has a name in it, and nothing but those mounts can be written to.
/// </summary>
/// <param name="stage">An empty directory in which it is put together.</param>
/// <param name="mounts">Places of its own, writable or not.</param>
/// <param name="files">Path and text of small files; their directories are made.</param>
/// <remarks>For a process in a mount namespace of its own whose <c>/proc</c> is that of its pid namespace (<see cref="SpawnNamespaces.OwnPids"/>).</remarks>
public sealed class ProgramRoot(string stage, IReadOnlyList<BindMount> mounts, IReadOnlyDictionary<string, string> files)
{
    /// <summary>What is shown of the machine: programs, libraries, and what these look for. Whoever has put files of his own there has given them to all.</summary>
    public static IReadOnlyList<string> Trees { get; } = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache", "/etc/protocols", "/etc/services"];

    private static readonly string[] Devices = ["null", "zero", "full", "random", "urandom"];

    /// <summary>Makes it this process's root, and its input the <c>/dev/null</c> there; the old one is gone from its sight.</summary>
    /// <exception cref="SystemCallException">The kernel refuses one of the mounts, or is older than 5.12: what is below a mount could not be made read-only.</exception>
    public void Enter()
    {
        Check(Libc.Mount(null, "/", null, Libc.MS_REC | Libc.MS_SLAVE, null), "mount", "/ (propagation)");
        MountMemory("/", "mode=0755,size=1m");
        foreach (var tree in Trees)
        {
            Show(tree);
        }
        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(stage + path)!);
            File.WriteAllText(stage + path, text);
        }
        MakeDevices();
        MakeProcesses();
        foreach (var mount in mounts)
        {
            Directory.CreateDirectory(stage + mount.Target);
            mount.Make(stage + mount.Target);
        }
        Check(Libc.Mount(null, stage, null, Libc.MS_BIND | Libc.MS_REMOUNT | Libc.MS_RDONLY | Libc.MS_NOSUID | Libc.MS_NODEV, null), "mount -o remount,ro", stage);
        ContainerRoot.Become(stage);
        // What it came with is the machine's, whose mode root of the machine could change by it.
        using var empty = FileDescriptor.Open("/dev/null", OpenFlags.ReadOnly);
        Check(Libc.Duplicate(empty.Number, 0), "dup2", "/dev/null");
    }

    private void Show(string tree)
    {
        var place = stage + tree;
        if (new FileInfo(tree).LinkTarget is { } target)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.CreateSymbolicLink(place, target);
        }
        else if (Path.Exists(tree))
        {
            Bind(tree, place, Libc.MOUNT_ATTR_RDONLY | Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV);
        }
    }

    private void MakeDevices()
    {
        foreach (var name in Devices)
        {
            // Read-only is the entry, whose mode root of the machine could change; a device is written to all the same.
            Bind("/dev/" + name, $"{stage}/dev/{name}", Libc.MOUNT_ATTR_RDONLY | Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NOEXEC);
        }
        MountMemory("/dev/shm", "mode=1777,size=16m");
        foreach (var (name, target) in ((string, string)[])[("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")])
        {
            File.CreateSymbolicLink($"{stage}/dev/{name}", target);
        }
    }

    private void MakeProcesses()
    {
        // Of a process whose user is the machine's root, the kernel takes orders there: /proc/sys/kernel/core_pattern; of any, /proc/self/oom_score_adj.
        Bind("/proc", stage + "/proc", Libc.MOUNT_ATTR_RDONLY | Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV | Libc.MOUNT_ATTR_NOEXEC);
        KernelFiles.Hide(stage, "/proc/key-users", "/proc/kmsg");
    }

    private void MountMemory(string target, string options)
    {
        var place = target == "/" ? stage : Directory.CreateDirectory(stage + target).FullName;
        Check(Libc.Mount("tmpfs", place, "tmpfs", Libc.MS_NOSUID | Libc.MS_NODEV, options + ",nr_inodes=4096"), "mount -t tmpfs", target);
    }

    /// <summary>Otherwise than <see cref="BindMount"/> it does not make do with less: what is mounted below has the attributes, too.</summary>
    private static void Bind(string source, string place, ulong attributes)
    {
        if (!Path.Exists(place))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            if (Directory.Exists(source))
            {
                Directory.CreateDirectory(place);
            }
            else
            {
                File.WriteAllBytes(place, []);
            }
        }
        Check(Libc.Mount(source, place, null, Libc.MS_BIND | Libc.MS_REC, null), "mount --bind", source);
        Check(Libc.SetMountAttributes(place, attributes), "mount_setattr", source);
    }

    private static void Check(int result, string call, string subject)
    {
        if (result < 0)
        {
            throw SystemCallException.Last(call, subject);
        }
    }
}
