using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers;

/// <summary>
/// What a container's commands see otherwise than the machine does: /etc/hosts, resolv.conf, hostname and /tmp. Made when the first command needs
/// them: most containers are built-in workloads in which nobody ever runs one.
/// </summary>
internal sealed class ContainerFiles
{
    private readonly Lazy<IReadOnlyList<BindMount>> _mounts;

    /// <param name="directory">The container's own, in the lab's.</param>
    public ContainerFiles(string directory, PodFacts pod, ContainerSpec container)
    {
        Directory = directory;
        _mounts = new Lazy<IReadOnlyList<BindMount>>(() => Make(directory, pod, container));
    }

    public string Directory { get; }

    public IReadOnlyList<BindMount> Mounts => _mounts.Value;

    public void Delete()
    {
        if (System.IO.Directory.Exists(Directory))
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private static List<BindMount> Make(string directory, PodFacts pod, ContainerSpec container)
    {
        var temporary = Path.Combine(directory, "tmp");
        System.IO.Directory.CreateDirectory(temporary);
        var mounts = new List<BindMount>();
        // A place that the machine lacks cannot be covered; a command there finds it missing, as on the machine.
        AddFile("hosts", pod.HostsFile);
        AddFile("resolv.conf", pod.ResolverFile);
        AddFile("hostname", pod.HostName + "\n");
        foreach (var mount in container.Mounts)
        {
            mounts.Add(new BindMount(mount.Source, mount.Target, mount.ReadOnly));
        }

        // Last: the sources of those above may lie under /tmp.
        mounts.Add(new BindMount(temporary, "/tmp"));
        return mounts;

        void AddFile(string name, string text)
        {
            var path = Path.Combine(directory, name);
            File.WriteAllText(path, text);
            if (File.Exists("/etc/" + name))
            {
                mounts.Add(new BindMount(path, "/etc/" + name));
            }
        }
    }
}
