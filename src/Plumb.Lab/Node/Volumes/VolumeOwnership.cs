using Plumb.Kubernetes.Objects;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Node.Volumes;

/// <summary>Whose the files of a pod's volumes are and what their group may do, as a kubelet makes them (SetVolumeOwnership, FsUserFrom).</summary>
/// <param name="User">Whom all containers run as, by their `runAsUser`: tokens are that user's. Null: some do not say, or there are several.</param>
/// <param name="Group">`fsGroup`. `fsGroupChangePolicy` is about volumes that outlive their pods, of which there are none.</param>
internal sealed record VolumeOwnership(uint? User, uint? Group)
{
    private const UnixFileMode Everybody = (UnixFileMode)0x1ff; // 0777
    private const UnixFileMode OwnersToWrite = (UnixFileMode)0x1ed; // 0755

    private readonly bool _hasUser = User is { } user && new ContainerUser(user, 0, []).IsMapped;
    private readonly bool _hasGroup = Group is { } group && new ContainerUser(0, group, []).IsMapped;

    /// <summary>A token's mode where the pod says whom it is for; null: as the volume says.</summary>
    public int? TokenMode => User is null && Group is null ? null : 0x180; // 0600

    public static VolumeOwnership Of(Pod pod)
    {
        var users = pod.Spec.InitContainers.Concat(pod.Spec.Containers).Select(one => one.SecurityContext?.RunAsUser ?? pod.Spec.SecurityContext?.RunAsUser).Distinct().ToList();
        return new VolumeOwnership((uint?)(users.Count == 1 ? users[0] : null), (uint?)pod.Spec.SecurityContext?.FsGroup);
    }

    /// <summary>Whom the lab's user namespace does not have, in words; null: all that matter for this volume are there.</summary>
    public string? Missing(Volume volume)
    {
        if (volume.HostPath is not null)
        {
            return null;
        }
        var missing = new List<string>();
        if (User is not null && !_hasUser && VolumeContents.HoldsToken(volume))
        {
            missing.Add($"user {User}");
        }
        if (Group is not null && !_hasGroup)
        {
            missing.Add($"group {Group}");
        }
        return missing.Count == 0 ? null : string.Join(", ", missing);
    }

    /// <summary>Gives a new volume's directory to the group; what is made in it from now on has that group by itself (inode(7), S_ISGID).</summary>
    /// <param name="inMemory">A kubelet's volumes in memory have the sticky bit of a tmpfs.</param>
    public void OwnVolume(string place, bool inMemory)
    {
        if (_hasGroup)
        {
            FileGift.ToGroup(place, Group!.Value);
        }
        File.SetUnixFileMode(place, Everybody | (inMemory ? UnixFileMode.StickyBit : 0) | Inherited);
    }

    /// <summary>A directory that a volume's content has.</summary>
    public void OwnDirectory(string place) => File.SetUnixFileMode(place, OwnersToWrite | Inherited);

    public void OwnFile(string place, VolumeFile file)
    {
        if (file.IsToken && _hasUser)
        {
            FileGift.ToUser(place, User!.Value);
        }
        File.SetUnixFileMode(place, (UnixFileMode)file.Mode | (Group is null ? 0 : UnixFileMode.UserRead | UnixFileMode.GroupRead));
    }

    private UnixFileMode Inherited => _hasGroup ? UnixFileMode.SetGroup : 0;
}
