using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Linux.Containers;

/// <summary>
/// The root file system of a container: an image's directory, which stays as it is under a layer in memory that takes what the container writes (overlayfs), or
/// the machine's own; with what is mounted into it. Nothing of it is seen from outside or left when the container's last process has ended.
/// </summary>
/// <remarks>For a process in a mount namespace of its own whose <c>/proc</c> is that of its pid namespace (<see cref="SpawnNamespaces.OwnPids"/>).</remarks>
public sealed class ContainerRoot
{
    private static readonly string[] Devices = ["null", "zero", "full", "random", "urandom", "tty", "ptmx"];

    /// <param name="lower">An image's root directory, or <c>/</c>: the machine's own, with its devices and what else is mounted there.</param>
    /// <param name="stage">An empty directory in which it is put together.</param>
    public ContainerRoot(string lower, string stage)
    {
        Lower = lower;
        Stage = stage;
        Root = Path.Combine(stage, "root");
    }

    public string Lower { get; }

    public string Stage { get; }

    /// <summary>Their targets are made where they are missing.</summary>
    public IReadOnlyList<BindMount> Mounts { get; init; } = [];

    /// <summary>`readOnlyRootFilesystem`: what is mounted can be written to, and nothing else.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>What of <c>/proc</c> and <c>/sys</c> is the machine's is hidden or read-only, as it is for containers that are not privileged.</summary>
    public bool IsShielded { get; init; }

    /// <summary>Files of the image that are not root's. Those whose ids the user namespace lacks stay root's.</summary>
    public IReadOnlyList<FileOwner> Owners { get; init; } = [];

    private string Root { get; }

    // The machine's root may make any device, and runtimes refuse all but a few by a control group. In a user namespace the kernel does.
    private bool RefusesDevices => IsShielded && Lower != "/" && !ContainerUser.IsNested;

    private nuint Attributes => RefusesDevices ? (nuint)Libc.MS_NODEV : 0;

    /// <summary>Makes it this process's root; the old one is gone from its sight.</summary>
    /// <exception cref="SystemCallException">The kernel refuses one of the mounts.</exception>
    public void Enter()
    {
        Check(Libc.Mount(null, "/", null, Libc.MS_REC | Libc.MS_SLAVE, null), "mount", "/ (propagation)");
        Check(Libc.Mount("tmpfs", Stage, "tmpfs", Attributes, "mode=0755"), "mount -t tmpfs", Stage);
        Directory.CreateDirectory(Root);
        if (Lower == "/")
        {
            // Only what is mounted can become a root.
            new BindMount(Root, Root).Make(Root);
            MachineTree.Make(Root, Mounts.Select(static mount => mount.Target));
            // The stage itself came along with the directory that it is in.
            _ = Libc.Unmount(Root + Stage, Libc.MNT_DETACH);
        }
        else
        {
            Layer();
            GiveAway();
            MakeDevices();
        }
        if (IsShielded)
        {
            KernelFiles.Protect(Root);
            KernelFiles.Hide(Root);
        }
        if (ReadOnly)
        {
            // While places can still be made. What is mounted there afterwards is as it was.
            foreach (var mount in Mounts)
            {
                PlaceOf(mount.Target, Directory.Exists(mount.Source));
            }
            Protect();
        }
        foreach (var mount in Mounts)
        {
            var place = PlaceOf(mount.Target, Directory.Exists(mount.Source));
            mount.Make(place);
            // Before Linux 5.12 all attributes have to be said anew.
            if (RefusesDevices && Libc.SetMountAttributes(place, Libc.MOUNT_ATTR_NODEV) < 0)
            {
                Check(Libc.Mount(null, place, null, Libc.MS_BIND | Libc.MS_REMOUNT | Libc.MS_NODEV | (nuint)(mount.ReadOnly ? Libc.MS_RDONLY : 0), null), "mount -o remount,nodev", place);
            }
        }
        Become(Root);
    }

    /// <summary>Makes a mounted directory the root; the old one is gone from this process's sight.</summary>
    internal static void Become(string root)
    {
        Environment.CurrentDirectory = root;
        // Both names are the new root's: the old one comes to lie on it, and is taken off (pivot_root(2), NOTES).
        Check(Libc.PivotRoot(".", "."), "pivot_root", root);
        Check(Libc.Unmount(".", Libc.MNT_DETACH), "umount", "the old root");
        Environment.CurrentDirectory = "/";
    }

    /// <summary>Replaces this process, which has entered its root, by the container's program. Returns only by exception.</summary>
    /// <param name="program">A path, or a name that is looked for in the PATH of the environment.</param>
    /// <param name="privileges">Null: all that this process has.</param>
    /// <exception cref="SystemCallException">It cannot be run, or the user cannot be had.</exception>
    public static void Run(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string directory, ContainerUser user, Privileges? privileges = null)
    {
        Directory.CreateDirectory(directory);
        privileges?.Enter(user);
        if (!user.IsRoot)
        {
            Check(Libc.SetThreadIds(user.User, user.Group, [.. user.Groups], user.User), "setresuid", $"user {user.User}, group {user.Group}");
        }
        try
        {
            Environment.CurrentDirectory = directory;
        }
        catch (UnauthorizedAccessException)
        {
            throw new SystemCallException("chdir", Errno.EACCES, directory);
        }
        var path = Spawn.Find(program, environment);
        // The runtime ignores it, and who is ignored stays so.
        _ = Libc.SetSignalDisposition((int)Signal.Pipe, Libc.SIG_DFL);
        _ = Libc.CloseOnExecFrom(3);
        Exec.Become(path, [program, .. arguments], environment);
    }

    private void Protect()
    {
        if (Lower == "/")
        {
            // It is made of many mounts.
            Check(Libc.SetMountAttributes(Root, Libc.MOUNT_ATTR_RDONLY), "mount_setattr", Root);
        }
        else
        {
            Check(Libc.Mount(null, Root, null, Libc.MS_BIND | Libc.MS_REMOUNT | Libc.MS_RDONLY | Attributes, null), "mount -o remount,ro", Root);
        }
    }

    private void Layer()
    {
        var (upper, work) = (Path.Combine(Stage, "upper"), Path.Combine(Stage, "work"));
        Directory.CreateDirectory(upper);
        Directory.CreateDirectory(work);
        File.SetUnixFileMode(upper, File.GetUnixFileMode(Lower));
        Check(
            Libc.Mount("overlay", Root, "overlay", Attributes, $"lowerdir={Escape(Lower)},upperdir={Escape(upper)},workdir={Escape(work)},userxattr"),
            "mount -t overlay", Lower);
    }

    // What is given away comes into the layer in memory, with its content: the image's own files are the user's who unpacked them, as that user sees them.
    private void GiveAway()
    {
        if (Owners.Count == 0 || ContainerUser.IsAlone)
        {
            return;
        }
        using var tree = new TreeWalk(Root);
        var directories = new Dictionary<string, string?>();
        foreach (var owner in Owners)
        {
            var above = Path.GetDirectoryName(owner.Path) ?? "";
            if (!directories.TryGetValue(above, out var directory))
            {
                directories[above] = directory = tree.Find(above);
            }
            var place = Path.Combine(directory ?? "", Path.GetFileName(owner.Path));
            if (directory is null || FileStatus.TryOfLink(place) is not { } status)
            {
                continue;
            }
            var mode = status.Type == FileType.Regular ? File.GetUnixFileMode(place) : default;
            if (Libc.ChangeOwner(place, owner.User, owner.Group) < 0)
            {
                if (Libc.LastErrno != Errno.EINVAL)
                {
                    throw SystemCallException.Last("lchown", owner.Path);
                }
            }
            // With its owner a program loses that it runs as him.
            else if ((mode & (UnixFileMode.SetUser | UnixFileMode.SetGroup)) != 0)
            {
                File.SetUnixFileMode(place, mode);
            }
        }
    }

    // A colon parts layers and a comma options.
    private static string Escape(string path) => path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);

    private void MakeDevices()
    {
        new BindMount("/proc", "/proc").Make(PlaceOf("/proc", isDirectory: true));
        var system = PlaceOf("/sys", isDirectory: true);
        if (Libc.Mount("sysfs", system, "sysfs", Libc.MS_NOSUID | Libc.MS_NODEV | Libc.MS_NOEXEC | (nuint)(IsShielded ? Libc.MS_RDONLY : 0), null) < 0)
        {
            // Where something covers a part of the machine's, no new one may show it.
            new BindMount("/sys", "/sys", IsShielded).Make(system);
        }
        // Programs find their limits there. Only who has a control group of its own can have it, and who has none is refused.
        _ = Libc.Mount("cgroup2", system + "/fs/cgroup", "cgroup2", Libc.MS_NOSUID | Libc.MS_NODEV | Libc.MS_NOEXEC | Libc.MS_RDONLY, null);
        var devices = PlaceOf("/dev", isDirectory: true);
        Check(Libc.Mount("tmpfs", devices, "tmpfs", Libc.MS_NOSUID | Attributes, "mode=0755"), "mount -t tmpfs", "/dev");
        foreach (var name in Devices)
        {
            File.WriteAllBytes(Path.Combine(devices, name), []);
            // The machine's: what is written goes to the device all the same, its mode and owner stay.
            new BindMount("/dev/" + name, "/dev/" + name, IsShielded).Make(Path.Combine(devices, name));
        }
        foreach (var (name, kind, options) in ((string, string, string)[])[("shm", "tmpfs", "mode=1777"), ("mqueue", "mqueue", "")])
        {
            var place = Directory.CreateDirectory(Path.Combine(devices, name)).FullName;
            // A kernel may lack one of them; a program that needs it says so.
            _ = Libc.Mount(kind, place, kind, Libc.MS_NOSUID | Libc.MS_NODEV | Libc.MS_NOEXEC, options);
        }
        // The machine's: terminals of `kubectl exec -it` are made outside, and have a name only there.
        new BindMount("/dev/pts", "/dev/pts").Make(Directory.CreateDirectory(Path.Combine(devices, "pts")).FullName);
        foreach (var (name, target) in ((string, string)[])[("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")])
        {
            File.CreateSymbolicLink(Path.Combine(devices, name), target);
        }
    }

    /// <summary>A place below the new root, made if it is missing.</summary>
    private string PlaceOf(string target, bool isDirectory)
    {
        using var tree = new TreeWalk(Root);
        return isDirectory ? tree.MakeDirectory(target) : tree.MakeFile(target);
    }

    private static void Check(int result, string call, string subject)
    {
        if (result < 0)
        {
            throw SystemCallException.Last(call, subject);
        }
    }
}
