using System.Text;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node.Volumes;

/// <summary>One file of a volume.</summary>
/// <param name="Path">Relative to the volume; may have directories.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="IsToken">For who the containers run as, if that is one.</param>
internal sealed record VolumeFile(string Path, ReadOnlyMemory<byte> Content, int Mode, bool IsToken = false);

/// <summary>What is in a volume that is made from the API's objects: configMap, secret, downwardAPI and projected.</summary>
internal sealed class VolumeContents(Pod pod, IPodSources sources, PodTokens tokens, VolumeOwnership ownership)
{
    private const int DefaultMode = 0x1a4; // 0644

    private readonly string _namespace = pod.Metadata.Namespace ?? "default";

    /// <summary>Whether the volume has a content of ours at all, which may change.</summary>
    public static bool Is(Volume volume) => volume is { ConfigMap: not null } or { Secret: not null } or { DownwardAPI: not null } or { Projected: not null };

    /// <summary>Whether a token is in it, which programs that speak to the API need, and nobody else.</summary>
    public static bool HoldsToken(Volume volume) => volume.Projected?.Sources.Any(static source => source.ServiceAccountToken is not null) ?? false;

    /// <exception cref="MissingSourceException">An object or a key is not there, and not optional.</exception>
    public async Task<IReadOnlyList<VolumeFile>> ReadAsync(Volume volume, CancellationToken cancel)
    {
        var files = new List<VolumeFile>();
        if (volume.ConfigMap is { } map)
        {
            await ConfigMapAsync(files, map.Name, map.Items, map.Optional, map.DefaultMode, cancel);
        }
        else if (volume.Secret is { } secret)
        {
            await SecretAsync(files, secret.SecretName, secret.Items, secret.Optional, secret.DefaultMode, cancel);
        }
        else if (volume.DownwardAPI is { } downward)
        {
            Downward(files, downward.Items, downward.DefaultMode);
        }
        else if (volume.Projected is { } projected)
        {
            foreach (var source in projected.Sources)
            {
                await ProjectAsync(files, source, projected.DefaultMode, cancel);
            }
        }
        return files;
    }

    private async Task ProjectAsync(List<VolumeFile> files, VolumeProjection source, int? mode, CancellationToken cancel)
    {
        if (source.ConfigMap is { } map)
        {
            await ConfigMapAsync(files, map.Name, map.Items, map.Optional, mode, cancel);
        }
        else if (source.Secret is { } secret)
        {
            await SecretAsync(files, secret.Name, secret.Items, secret.Optional, mode, cancel);
        }
        else if (source.DownwardAPI is { } downward)
        {
            Downward(files, downward.Items, mode);
        }
        else if (source.ServiceAccountToken is { } token)
        {
            var text = await tokens.ReadAsync(token, cancel);
            files.Add(new VolumeFile(token.Path, Encoding.UTF8.GetBytes(text), ownership.TokenMode ?? mode ?? DefaultMode, IsToken: true));
        }
    }

    private async Task ConfigMapAsync(List<VolumeFile> files, string name, IReadOnlyList<KeyToPath> items, bool? optional, int? mode, CancellationToken cancel)
    {
        if (await sources.ConfigMapAsync(_namespace, name, cancel) is not { } map)
        {
            if (optional == true)
            {
                return;
            }
            throw new MissingSourceException($"configmap \"{name}\" not found");
        }
        var contents = new SortedDictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Data)
        {
            contents[key] = Encoding.UTF8.GetBytes(value);
        }
        foreach (var (key, value) in map.BinaryData)
        {
            contents[key] = value;
        }
        Take(files, contents, items, optional, mode, "configmap references non-existent config key: ");
    }

    private async Task SecretAsync(List<VolumeFile> files, string name, IReadOnlyList<KeyToPath> items, bool? optional, int? mode, CancellationToken cancel)
    {
        if (await sources.SecretAsync(_namespace, name, cancel) is not { } secret)
        {
            if (optional == true)
            {
                return;
            }
            throw new MissingSourceException($"secret \"{name}\" not found");
        }
        var contents = new SortedDictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var (key, value) in secret.Data)
        {
            contents[key] = value;
        }
        Take(files, contents, items, optional, mode, "references non-existent secret key: ");
    }

    private void Downward(List<VolumeFile> files, IReadOnlyList<DownwardApiFile> items, int? mode)
    {
        foreach (var item in items)
        {
            var text = item.FieldRef is { } field
                ? DownwardFields.Field(pod, field.FieldPath) ?? throw new MissingSourceException($"unsupported fieldPath: {field.FieldPath}")
                : item.ResourceFieldRef is { } resource
                    ? Resource(resource) ?? throw new MissingSourceException($"unsupported container resource: {resource.Resource} of {resource.ContainerName}")
                    : "";
            files.Add(new VolumeFile(item.Path, Encoding.UTF8.GetBytes(text), item.Mode ?? mode ?? DefaultMode));
        }
    }

    private string? Resource(ResourceFieldSelector wanted)
    {
        foreach (var container in pod.Spec.Containers.Concat(pod.Spec.InitContainers))
        {
            if (container.Name == wanted.ContainerName)
            {
                return DownwardFields.Resource(container, wanted);
            }
        }
        return null;
    }

    /// <param name="items">Empty: all keys, each a file of its name.</param>
    private static void Take(
        List<VolumeFile> files, SortedDictionary<string, ReadOnlyMemory<byte>> contents, IReadOnlyList<KeyToPath> items, bool? optional, int? mode, string missing)
    {
        if (items.Count == 0)
        {
            foreach (var (key, content) in contents)
            {
                files.Add(new VolumeFile(key, content, mode ?? DefaultMode));
            }
            return;
        }
        foreach (var item in items)
        {
            if (contents.TryGetValue(item.Key, out var content))
            {
                files.Add(new VolumeFile(item.Path, content, item.Mode ?? mode ?? DefaultMode));
            }
            else if (optional != true)
            {
                throw new MissingSourceException(missing + item.Key);
            }
        }
    }
}
