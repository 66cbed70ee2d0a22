using Plumb.Lab.Containers.Roots;
using Plumb.Lab.Images;
using Plumb.Linux.Containers;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers;

/// <summary>
/// What a container's commands see otherwise than the machine does: /etc/hosts, resolv.conf, hostname, /tmp and volumes. Made when the first command
/// needs them: most containers are built-in workloads in which nobody ever runs one.
/// </summary>
internal sealed class ContainerFiles
{
    private readonly PodFacts _pod;
    private readonly ContainerSpec _container;
    private readonly Image? _image;
    private readonly IReadOnlyList<string> _launcher;
    private readonly Lazy<IReadOnlyList<BindMount>> _mounts;
    private int _stages;

    /// <param name="directory">The container's own, in the lab's.</param>
    /// <param name="image">Null: the container has the machine's file system.</param>
    /// <param name="launcher">This program, which enters roots.</param>
    public ContainerFiles(string directory, PodFacts pod, ContainerSpec container, Image? image, IReadOnlyList<string> launcher)
    {
        Directory = directory;
        _pod = pod;
        _container = container;
        _image = image;
        _launcher = launcher;
        _mounts = new Lazy<IReadOnlyList<BindMount>>(Make);
    }

    public string Directory { get; }

    /// <summary>This program, which enters roots.</summary>
    public IReadOnlyList<string> Launcher => _launcher;

    public IReadOnlyList<BindMount> Mounts => _mounts.Value;

    /// <summary>Where the container's last words come; null: it has no place for them.</summary>
    public string? MessageFile { get; private set; }

    /// <summary>
    /// Null for the machine's own root. A volume whose place the machine lacks needs another, in which places can be made: the machine's under a layer of
    /// the container's own. Below /run there are places for all: a container can have one of its own.
    /// </summary>
    public RootSource? Root => FindRoot() is { } root ? root with { ShowsKernel = _container.Security.ShowsKernel } : null;

    /// <summary>What a program of the container's may do; null: all that the lab may.</summary>
    public Privileges? Privileges => _container.Security.Of(hasImage: _image is not null);

    /// <summary>A directory in which a root is put together, and the name of a file beside it.</summary>
    public (string Stage, string File) MakeStage()
    {
        var stage = Path.Combine(Directory, $"root.{Interlocked.Increment(ref _stages)}");
        System.IO.Directory.CreateDirectory(stage);
        return (stage, FileOf(stage));
    }

    private const UnixFileMode EveryonesFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static string FileOf(string stage) => stage + ".json";

    public void Delete()
    {
        if (System.IO.Directory.Exists(Directory))
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private RootSource? FindRoot() => _image is not null ? new RootSource(_image.Root, _launcher, _container.ReadOnlyRoot) { Owners = _image.Owners }
        : _container.ReadOnlyRoot || IsForAnother() || _container.Mounts.Any(static mount => !IsPlace(mount) && !OwnRun.Holds(mount.Target))
            ? new RootSource("/", _launcher, _container.ReadOnlyRoot)
        : null;

    // Who is to become another user has to do it from inside.
    private bool IsForAnother() => _container.User.Length > 0 && ImageUser.Find(null, _container.User) is { IsRoot: false, IsMapped: true };

    private static bool IsPlace(ContainerMount mount) =>
        System.IO.Directory.Exists(mount.Source) ? System.IO.Directory.Exists(mount.Target) : File.Exists(mount.Target);

    private List<BindMount> Make()
    {
        var rooted = Root is not null;
        System.IO.Directory.CreateDirectory(Directory);
        var mounts = new List<BindMount>();
        AddFile("hosts", _pod.HostsFile);
        AddFile("resolv.conf", _pod.ResolverFile);
        AddFile("hostname", _pod.HostName + "\n");
        if (rooted)
        {
            MessageFile = Path.Combine(Directory, "termination-log");
            File.WriteAllBytes(MessageFile, []);
            // Whoever the container's user is.
            File.SetUnixFileMode(MessageFile, EveryonesFile);
            mounts.Add(new BindMount(MessageFile, _container.MessagePath ?? "/dev/termination-log"));
        }
        var run = !rooted && _container.Mounts.Any(static mount => !IsPlace(mount)) ? new OwnRun(Path.Combine(Directory, "run")) : null;
        foreach (var mount in _container.Mounts)
        {
            var place = run is not null && OwnRun.Holds(mount.Target) ? run.PlaceOf(mount) : mount.Target;
            mounts.Add(new BindMount(mount.Source, place, mount.ReadOnly));
        }
        if (_image is null)
        {
            // Sources of those above may lie under /tmp, and so may targets.
            var temporary = Path.Combine(Directory, "tmp");
            System.IO.Directory.CreateDirectory(temporary);
            mounts.Insert(rooted ? 0 : mounts.Count, new BindMount(temporary, "/tmp", _container.ReadOnlyRoot));
        }
        if (run is not null)
        {
            // Each hides what was below its place: the one that hides the other's source comes last.
            mounts.Insert(OwnRun.Holds(Directory) ? mounts.Count : mounts.Count - 1, run.Keep(mounts));
        }
        return mounts;

        void AddFile(string name, string text)
        {
            var path = Path.Combine(Directory, name);
            File.WriteAllText(path, text);
            // A place that the machine lacks cannot be covered; a command there finds it missing, as on the machine.
            if (rooted || File.Exists("/etc/" + name))
            {
                mounts.Add(new BindMount(path, "/etc/" + name));
            }
        }
    }
}
