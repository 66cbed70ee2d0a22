using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Linux.Containers;

/// <summary>
/// The machine's root directory once more, entry by entry, in a directory of our own. Where a place is missing, the directories on the way to it are our own,
/// too, so that it can be made.
/// </summary>
/// <remarks>A layer over <c>/</c> would do the same, but in a user namespace no layer can be put over a directory in which something is mounted.</remarks>
internal static class MachineTree
{
    /// <param name="targets">Places that shall be there, files or directories.</param>
    public static void Make(string root, IEnumerable<string> targets)
    {
        var open = new HashSet<string>(StringComparer.Ordinal) { "/" };
        foreach (var target in targets)
        {
            Open(target, open);
        }
        Fill(root, "/", open);
    }

    /// <summary>Notes the directories on the way to a place that is missing.</summary>
    private static void Open(string target, HashSet<string> open)
    {
        var way = new List<string>();
        var names = new Stack<string>(target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var at = "/";
        while (names.TryPop(out var name))
        {
            var next = Path.Combine(at, name);
            if (new FileInfo(next).LinkTarget is { } link)
            {
                foreach (var part in link.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                {
                    names.Push(part);
                }
                at = link.StartsWith('/') ? "/" : at;
            }
            else if (name == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
            }
            else if (!Path.Exists(next))
            {
                for (var directory = at; directory is not null && open.Add(directory); directory = Path.GetDirectoryName(directory))
                {
                }
                return;
            }
            else
            {
                at = next;
            }
        }
    }

    private static void Fill(string root, string directory, HashSet<string> open)
    {
        foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false, ReturnSpecialDirectories = false }))
        {
            var place = root + entry.FullName;
            if (entry.LinkTarget is { } target)
            {
                File.CreateSymbolicLink(place, target);
                continue;
            }
            if (entry is DirectoryInfo)
            {
                Directory.CreateDirectory(place);
                if (open.Contains(entry.FullName))
                {
                    File.SetUnixFileMode(place, entry.UnixFileMode);
                    Fill(root, entry.FullName, open);
                    continue;
                }
            }
            else
            {
                File.WriteAllBytes(place, []);
            }
            new BindMount(entry.FullName, entry.FullName).Make(place);
        }
    }
}
