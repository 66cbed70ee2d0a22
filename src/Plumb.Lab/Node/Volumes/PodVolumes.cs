using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;
using Container = Plumb.Kubernetes.Objects.Container;

namespace Plumb.Lab.Node.Volumes;

/// <summary>A pod's volumes on its node: directories in the lab's own, made before the pod's network, and kept true while the pod is there.</summary>
internal sealed class PodVolumes : IDisposable
{
    private readonly NodeContext _node;
    private readonly PodName _name;
    private readonly string _directory;
    private readonly Dictionary<string, PayloadDirectory> _payloads = new(StringComparer.Ordinal);
    private readonly List<Volume> _later = [];
    private readonly SemaphoreSlim _writing = new(1);
    // A token that could not be had is asked for again, but not at once.
    private static readonly TimeSpan LeastWait = TimeSpan.FromSeconds(10);

    private readonly PodTokens _tokens;
    private readonly VolumeOwnership _ownership;
    private Pod _pod;
    private bool _ownersTold;
    private IDisposable? _following;
    private ITimer? _renewal;

    public PodVolumes(NodeContext node, PodName name, Pod pod)
    {
        _node = node;
        _name = name;
        _pod = pod;
        _ownership = VolumeOwnership.Of(pod);
        _directory = Path.Combine(node.Containers.DirectoryOf(name.Uid), "volumes");
        _tokens = new PodTokens(node.Sources, name, pod.Spec.ServiceAccountName is { Length: > 0 } account ? account : "default", node.Time);
    }

    /// <summary>Makes them. What is missing is said in an event and waited for.</summary>
    /// <param name="tokensLater">Those with tokens can wait until <see cref="CompleteAsync"/>: a thousand pods without programs of their own need none.</param>
    public async Task SetUpAsync(bool tokensLater, Action failed, CancellationToken cancel)
    {
        var now = new List<Volume>();
        foreach (var volume in _pod.Spec.Volumes)
        {
            (tokensLater && VolumeContents.HoldsToken(volume) ? _later : now).Add(volume);
        }
        await SetUpAsync(now, failed, cancel);
    }

    /// <summary>Makes those that could wait: somebody runs a program in the pod.</summary>
    public async Task CompleteAsync(CancellationToken cancel)
    {
        if (_later.Count == 0)
        {
            return;
        }
        await _writing.WaitAsync(cancel);
        try
        {
            await SetUpAsync(_later, static () => { }, cancel);
            _later.Clear();
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task SetUpAsync(List<Volume> volumes, Action failed, CancellationToken cancel)
    {
        var follows = false;
        foreach (var volume in volumes)
        {
            follows |= VolumeContents.Is(volume);
            if (!_ownersTold && _ownership.Missing(volume) is { } owners)
            {
                _ownersTold = true;
                _node.Events.Add(PodEvent.OwnerSubstituted(_name, owners));
            }
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
            _following ??= _node.Sources.Follow(_name.Namespace, () => _ = RefreshAsync());
            AwaitRenewal();
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
    public List<ContainerMount> MountsOf(Container container, Func<IReadOnlyDictionary<string, string>> environment)
    {
        var mounts = new List<ContainerMount>();
        foreach (var mount in container.VolumeMounts)
        {
            var volume = _pod.Spec.Volumes.FirstOrDefault(one => one.Name == mount.Name)
                ?? throw new ContainerStartException("CreateContainerConfigError", $"cannot find volume \"{mount.Name}\" to mount into container \"{container.Name}\"");
            var place = PlaceOf(volume);
            var part = mount.SubPathExpr is { Length: > 0 } expression ? ContainerEnvironment.Expand(expression, environment()) : mount.SubPath ?? "";
            if (part.StartsWith('/'))
            {
                throw new ContainerStartException("CreateContainerConfigError", $"error SubPath `{part}` must not be an absolute path");
            }
            // What is the API's is not the container's to write.
            mounts.Add(new ContainerMount(part.Length == 0 ? place : PartOf(place, part, mount.Name), mount.MountPath, mount.ReadOnly || VolumeContents.Is(volume)));
        }
        return mounts;
    }

    public void Dispose()
    {
        _following?.Dispose();
        _renewal?.Dispose();
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
        _ownership.OwnVolume(place, inMemory: volume is { Secret: not null } or { DownwardAPI: not null } or { Projected: not null } or { EmptyDir.Medium: "Memory" });
        if (VolumeContents.Is(volume))
        {
            var payload = new PayloadDirectory(place, _ownership);
            payload.Write(await new VolumeContents(_pod, _node.Sources, _tokens, _ownership).ReadAsync(volume, cancel), _node.Time.GetUtcNow());
            _payloads[volume.Name] = payload;
            return;
        }
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
                    await RefreshAsync(volume);
                }
            }
            finally
            {
                AwaitRenewal();
                _writing.Release();
            }
        }
        catch (Exception gone) when (gone is MissingSourceException or IOException or UnauthorizedAccessException or ObjectDisposedException or OperationCanceledException)
        {
            // The pod goes, or what it refers to does: what was written stays, as with a kubelet.
        }
    }

    private string PlaceOf(Volume volume) => volume.HostPath is { } host ? host.Path : Path.Combine(_directory, volume.Name);

    // One that what it refers to has left keeps what was written, as with a kubelet; the others go on.
    private async Task RefreshAsync(Volume volume)
    {
        if (!_payloads.TryGetValue(volume.Name, out var payload))
        {
            return;
        }
        try
        {
            payload.Write(await new VolumeContents(_pod, _node.Sources, _tokens, _ownership).ReadAsync(volume, CancellationToken.None), _node.Time.GetUtcNow());
        }
        catch (MissingSourceException)
        {
        }
    }

    private void AwaitRenewal()
    {
        if (_tokens.Renewal is { } at)
        {
            var left = at - _node.Time.GetUtcNow();
            _renewal ??= _node.Time.CreateTimer(_ => _ = RefreshAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _renewal.Change(left > LeastWait ? left : LeastWait, Timeout.InfiniteTimeSpan);
        }
    }

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
        try
        {
            // Who may write in the volume may write in a part of it that is made for a container.
            using var tree = new TreeWalk(place, beneath: true) { NewMode = File.GetUnixFileMode(place) & ~UnixFileMode.StickyBit };
            return tree.Find(part) ?? tree.MakeDirectory(part);
        }
        catch (SystemCallException refused) when (refused.Errno is Errno.EXDEV or Errno.ELOOP)
        {
            throw new ContainerStartException("CreateContainerConfigError", $"failed to prepare subPath for volumeMount \"{volume}\": {part} leads out of the volume");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ContainerStartException("CreateContainerConfigError", $"failed to prepare subPath for volumeMount \"{volume}\": {refused.Message}");
        }
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
