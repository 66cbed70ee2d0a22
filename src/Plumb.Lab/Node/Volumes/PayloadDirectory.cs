using System.Globalization;
using Plumb.Linux.Native;

namespace Plumb.Lab.Node.Volumes;

/// <summary>
/// A directory whose files change all at once, as those of a kubelet's configMap volumes do: each version lies in a directory of its own, the link
/// `..data` leads to the present one, and what programs open are links through it. One rename is the change.
/// </summary>
internal sealed class PayloadDirectory(string path, VolumeOwnership ownership)
{
    private const string Present = "..data";

    private IReadOnlyList<VolumeFile> _written = [];
    private int _version;

    /// <returns>False: it was so already.</returns>
    public bool Write(IReadOnlyList<VolumeFile> files, DateTimeOffset now)
    {
        if (_version > 0 && Same(files, _written))
        {
            return false;
        }
        var old = _version > 0 ? new DirectoryInfo(Path.Combine(path, Present)).LinkTarget : null;
        var version = string.Create(CultureInfo.InvariantCulture, $"..{now.UtcDateTime:yyyy_MM_dd_HH_mm_ss}.{++_version:D9}");
        foreach (var file in files)
        {
            if (Path.IsPathRooted(file.Path) || file.Path.Split('/').Any(static name => name is ".." or ""))
            {
                throw new MissingSourceException($"invalid path \"{file.Path}\": it must be relative, without '..'");
            }
            var place = Path.Combine(path, version, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.WriteAllBytes(place, file.Content.Span);
            ownership.OwnFile(place, file);
        }
        var all = Directory.CreateDirectory(Path.Combine(path, version));
        foreach (var directory in all.EnumerateDirectories("*", SearchOption.AllDirectories).Prepend(all))
        {
            ownership.OwnDirectory(directory.FullName);
        }
        Point(Present, version);
        var names = files.Select(static file => file.Path.Split('/')[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (new FileInfo(Path.Combine(path, name)).LinkTarget is null)
            {
                Point(name, $"{Present}/{name}");
            }
        }
        foreach (var gone in _written.Select(static file => file.Path.Split('/')[0]).Where(name => !names.Contains(name)).Distinct())
        {
            File.Delete(Path.Combine(path, gone));
        }
        if (old is not null)
        {
            Directory.Delete(Path.Combine(path, old), recursive: true);
        }
        _written = files;
        return true;
    }

    private void Point(string name, string target)
    {
        var temporary = Path.Combine(path, "..data_tmp");
        File.CreateSymbolicLink(temporary, target);
        FileRename.Replace(temporary, Path.Combine(path, name));
    }

    private static bool Same(IReadOnlyList<VolumeFile> left, IReadOnlyList<VolumeFile> right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }
        for (var i = 0; i < left.Count; i++)
        {
            if (left[i].Path != right[i].Path || left[i].Mode != right[i].Mode || !left[i].Content.Span.SequenceEqual(right[i].Content.Span))
            {
                return false;
            }
        }
        return true;
    }
}
