using System.Formats.Tar;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;

namespace Plumb.Lab.Images;

/// <summary>
/// A root file system that layers are unpacked into, one upon the other. Whatever an archive says, nothing is made, changed or removed outside of the directory:
/// names are cleaned, links on the way are followed as a process whose root it is would follow them, and the last part of a name is never followed.
/// </summary>
internal sealed class RootTree(string root)
{
    private const string Whiteout = ".wh.";
    private const string Opaque = ".wh..wh..opq";
    private const int Permissions = 0xfff;

    // Set at the end: what may not be written to must not be in the way while it is filled.
    private readonly Dictionary<string, UnixFileMode> _directories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (uint User, uint Group)> _owners = new(StringComparer.Ordinal);
    private HashSet<string> _ofThisLayer = [];

    /// <summary>Device files and pipes: nothing that an ordinary user could make, and nothing that a container gets from its image.</summary>
    public int Skipped { get; private set; }

    /// <summary>A new layer begins.</summary>
    public void BeginLayer() => _ofThisLayer = new HashSet<string>(StringComparer.Ordinal);

    /// <exception cref="ImageException">The entry's name leads out of the image.</exception>
    public void Add(TarEntry entry)
    {
        var names = Names(entry.Name);
        if (names.Count == 0)
        {
            return;
        }
        var last = names[^1];
        names.RemoveAt(names.Count - 1);
        var parent = Directory(names);
        if (last == Opaque)
        {
            Clear(parent);
            return;
        }
        if (last.StartsWith(Whiteout, StringComparison.Ordinal))
        {
            var hidden = last[Whiteout.Length..];
            Remove(hidden is "" or "." or ".." ? throw new ImageException($"the entry '{entry.Name}' hides nothing that a layer can hold") : Path.Combine(parent, hidden));
            return;
        }
        var place = Path.Combine(parent, last);
        _ofThisLayer.Add(place);
        _owners[place] = ((uint)entry.Uid, (uint)entry.Gid);
        var mode = (UnixFileMode)((int)entry.Mode & Permissions);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                if (!IsDirectory(place))
                {
                    Remove(place);
                    System.IO.Directory.CreateDirectory(place);
                }
                _directories[place] = mode;
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                Remove(place);
                using (var file = new FileStream(place, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode | UnixFileMode.UserWrite }))
                {
                    entry.DataStream?.CopyTo(file);
                }
                File.SetUnixFileMode(place, mode);
                break;
            case TarEntryType.SymbolicLink:
                Remove(place);
                File.CreateSymbolicLink(place, entry.LinkName);
                break;
            case TarEntryType.HardLink:
                var target = Names(entry.LinkName);
                if (target.Count == 0)
                {
                    throw new ImageException($"the entry '{entry.Name}' is a link to nothing");
                }
                var source = Path.Combine(Directory(target[..^1]), target[^1]);
                if (source != place)
                {
                    Remove(place);
                    HardLink.Create(source, place);
                    _owners[place] = _owners.GetValueOrDefault(source);
                }
                break;
            case TarEntryType.CharacterDevice or TarEntryType.BlockDevice or TarEntryType.Fifo:
                Remove(place);
                Skipped++;
                break;
        }
    }

    /// <summary>All layers are in.</summary>
    public void Finish()
    {
        foreach (var (directory, mode) in _directories.OrderByDescending(static one => one.Key.Length))
        {
            // A link may have come in the place of one of those that it is in: what is behind it is not the image's.
            if (IsReal(directory))
            {
                // Who unpacked it can always look into it and remove it.
                File.SetUnixFileMode(directory, mode | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    /// <summary>Whose the files are that are not root's; when all layers are in.</summary>
    public IEnumerable<FileOwner> Owners =>
        from owned in _owners
        where owned.Value != default && FileStatus.TryOfLink(owned.Key) is not null && IsReal(Path.GetDirectoryName(owned.Key)!)
        orderby owned.Key
        select new FileOwner(Path.GetRelativePath(root, owned.Key), owned.Value.User, owned.Value.Group);

    /// <summary>Absolute names are names below the root.</summary>
    private static List<string> Names(string path)
    {
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static name => name != ".").ToList();
        return names.Contains("..")
            ? throw new ImageException($"the entry '{path}' leads out of the image; such an archive is not unpacked")
            : names;
    }

    private string Directory(IEnumerable<string> names)
    {
        using var tree = new TreeWalk(root);
        try
        {
            return tree.MakeDirectory(string.Join('/', names), Remove);
        }
        catch (SystemCallException circle) when (circle.Errno == Errno.ELOOP)
        {
            throw new ImageException($"the links at '/{string.Join('/', names)}' lead in a circle", circle);
        }
    }

    private bool IsReal(string directory)
    {
        for (var at = directory; at != root; at = Path.GetDirectoryName(at)!)
        {
            if (!IsDirectory(at))
            {
                return false;
            }
        }
        return true;
    }

    private static bool IsDirectory(string place) => FileStatus.TryOfLink(place)?.Type == FileType.Directory;

    /// <summary>An opaque directory hides what lower layers have in it.</summary>
    private void Clear(string directory)
    {
        foreach (var entry in System.IO.Directory.GetFileSystemEntries(directory))
        {
            if (!_ofThisLayer.Contains(entry))
            {
                Remove(entry);
            }
        }
    }

    private static void Remove(string place)
    {
        switch (FileStatus.TryOfLink(place)?.Type)
        {
            case null:
                break;
            case FileType.Directory:
                System.IO.Directory.Delete(place, recursive: true);
                break;
            default:
                File.Delete(place);
                break;
        }
    }
}
