using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Container = Plumb.Kubernetes.Objects.Container;

namespace Plumb.Lab.Node.Volumes;

/// <summary>A pod's volumes on its node: directories in the lab's own, made before the pod's network, and kept true while the pod is there.</summary>
internal sealed class PodVolumes : IDisposable
{
    private readonly NodeContext _node;
    private readonly PodName _name;
    private readonly string _directory;
    private readonly Dictionary<string, PayloadDirectory> _payloads = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _writing = new(1);
    private Pod _pod;
    private IDisposable? _following;

    public PodVolumes(NodeContext node, PodName name, Pod pod)
    {
        _node = node;
        _name = name;
        _pod = pod;
        _directory = Path.Combine(node.Containers.DirectoryOf(name.Uid), "volumes");
    }

    /// <summary>Makes all of them. What is missing is said in an event and waited for.</summary>
    public async Task SetUpAsync(Action failed, CancellationToken cancel)
    {
        var follows = false;
        foreach (var volume in _pod.Spec.Volumes)
        {
            follows |= VolumeContents.Is(volume);
            for (var backOff = new BackOff(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(122)); ; backOff.Next())
            {
                try
                {
                    await SetUpAsync(volume, cancel);
                    break;
                }
                catch (Exception missing) when (missing is MissingSourceException or IOException or UnauthorizedAccessException)
                {
                    failed();
                    _node.Events.Add(PodEvent.FailedMount(_name, volume.Name, missing.Message));
                }
                await Task.Delay(backOff.Delay, _node.Time, cancel);
            }
        }
        if (follows)
        {
            _following = _node.Sources.Follow(_name.Namespace, () => _ = RefreshAsync());
        }
    }

    /// <summary>The pod's labels or annotations may have changed.</summary>
    public void Update(Pod pod)
    {
        var (old, now) = (_pod.Metadata, pod.Metadata);
        _pod = pod;
        if (_following is not null && (!Same(old.Labels, now.Labels) || !Same(old.Annotations, now.Annotations)))
        {
            _ = RefreshAsync();
        }
    }

    /// <param name="environment">For `subPathExpr`.</param>
    /// <exception cref="ContainerStartException">A mount names a volume or a part of one that cannot be had.</exception>
    public List<ContainerMount> MountsOf(Container container, IReadOnlyDictionary<string, string> environment)
    {
        var mounts = new List<ContainerMount>();
        foreach (var mount in container.VolumeMounts)
        {
            var volume = _pod.Spec.Volumes.FirstOrDefault(one => one.Name == mount.Name)
                ?? throw new ContainerStartException("CreateContainerConfigError", $"cannot find volume \"{mount.Name}\" to mount into container \"{container.Name}\"");
            var place = PlaceOf(volume);
            var part = mount.SubPathExpr is { Length: > 0 } expression ? ContainerEnvironment.Expand(expression, environment) : mount.SubPath ?? "";
            // What is the API's is not the container's to write.
            mounts.Add(new ContainerMount(part.Length == 0 ? place : PartOf(place, part, mount.Name), mount.MountPath, mount.ReadOnly || VolumeContents.Is(volume)));
        }
        return mounts;
    }

    public void Dispose()
    {
        _following?.Dispose();
        _writing.Dispose();
    }

    private async Task SetUpAsync(Volume volume, CancellationToken cancel)
    {
        var place = PlaceOf(volume);
        if (volume.HostPath is { } host)
        {
            HostPath(host);
            return;
        }
        Directory.CreateDirectory(place);
        if (VolumeContents.Is(volume))
        {
            var payload = new PayloadDirectory(place);
            payload.Write(await new VolumeContents(_pod, _node.Sources).ReadAsync(volume, cancel), _node.Time.GetUtcNow());
            _payloads[volume.Name] = payload;
            return;
        }
        const UnixFileMode everybody = (UnixFileMode)0x1ff;
        File.SetUnixFileMode(place, everybody);
        if (volume.EmptyDir is null)
        {
            _node.Events.Add(PodEvent.VolumeSubstituted(_name, volume.Name));
        }
    }

    private async Task RefreshAsync()
    {
        try
        {
            await _writing.WaitAsync();
            try
            {
                foreach (var volume in _pod.Spec.Volumes)
                {
                    if (_payloads.TryGetValue(volume.Name, out var payload) && !HoldsToken(volume))
                    {
                        payload.Write(await new VolumeContents(_pod, _node.Sources).ReadAsync(volume, CancellationToken.None), _node.Time.GetUtcNow());
                    }
                }
            }
            finally
            {
                _writing.Release();
            }
        }
        catch (Exception gone) when (gone is MissingSourceException or IOException or UnauthorizedAccessException or ObjectDisposedException or OperationCanceledException)
        {
            // The pod goes, or what it refers to does: what was written stays, as with a kubelet.
        }
    }

    private string PlaceOf(Volume volume) => volume.HostPath is { } host ? host.Path : Path.Combine(_directory, volume.Name);

    // A token would be another one each time.
    private static bool HoldsToken(Volume volume) => volume.Projected?.Sources.Any(static source => source.ServiceAccountToken is not null) ?? false;

    private static void HostPath(HostPathVolume host)
    {
        switch (host.Type)
        {
            case "DirectoryOrCreate":
                Directory.CreateDirectory(host.Path);
                break;
            case "FileOrCreate" when !File.Exists(host.Path):
                File.WriteAllBytes(host.Path, []);
                break;
            case "Directory" when !Directory.Exists(host.Path):
                throw new MissingSourceException($"hostPath type check failed: {host.Path} is not a directory");
            case "File" or "FileOrCreate" when !File.Exists(host.Path):
                throw new MissingSourceException($"hostPath type check failed: {host.Path} is not a file");
            case "" or null when !Directory.Exists(host.Path) && !File.Exists(host.Path):
                Directory.CreateDirectory(host.Path);
                break;
        }
    }

    /// <summary>A part of a volume, made if it is not there; no link in it leads out of the volume.</summary>
    private static string PartOf(string place, string part, string volume)
    {
        const int mostLinks = 40; // MAXSYMLINKS of linux/namei.h
        var root = Path.GetFullPath(place);
        var at = root;
        var names = new Stack<string>(part.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        for (var links = 0; names.TryPop(out var name);)
        {
            if (name == ".")
            {
                continue;
            }
            var next = name == ".." ? at : Path.Combine(at, name);
            var target = name == ".." ? null : new FileInfo(next).LinkTarget;
            if ((name == ".." && at == root) || target is ['/', ..] || links > mostLinks)
            {
                throw new ContainerStartException("CreateContainerConfigError", $"failed to prepare subPath for volumeMount \"{volume}\": {part} leads out of the volume");
            }
            if (target is not null)
            {
                links++;
                foreach (var word in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                {
                    names.Push(word);
                }
                continue;
            }
            at = name == ".." ? Path.GetDirectoryName(at)! : next;
        }
        try
        {
            if (!File.Exists(at) && !Directory.Exists(at))
            {
                Directory.CreateDirectory(at);
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ContainerStartException("CreateContainerConfigError", $"failed to prepare subPath for volumeMount \"{volume}\": {refused.Message}");
        }
        return at;
    }

    private static bool Same(IReadOnlyDictionary<string, string> left, IReadOnlyDictionary<string, string> right)
    {
        foreach (var (key, value) in left)
        {
            if (right.GetValueOrDefault(key) != value)
            {
                return false;
            }
        }
        return left.Count == right.Count;
    }
}
