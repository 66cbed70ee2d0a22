using System.Globalization;

namespace Plumb.Linux.Namespaces;

/// <summary>A network namespace that something on this machine keeps alive, as far as /proc tells: processes in it, or mounts of it.</summary>
/// <param name="Inode">Its number in nsfs: equal for the same namespace.</param>
/// <param name="Path">Where it can be opened.</param>
/// <param name="Mounts">Where it is bound (<c>/run/netns/NAME</c>, <c>/run/docker/netns/…</c>).</param>
public sealed record HeldNamespace(ulong Inode, string Path, IReadOnlyList<int> Processes, IReadOnlyList<string> Mounts)
{
    private const string LinkBegin = "net:[";

    /// <summary>All that can be found, and how many processes would not say in which they are: other users' (PTRACE_MODE_READ).</summary>
    public static (IReadOnlyList<HeldNamespace> Found, int Hidden) List()
    {
        var processes = new SortedDictionary<ulong, List<int>>();
        var hidden = 0;
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(System.IO.Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }
            switch (Link($"{directory}/ns/net"))
            {
                case (true, { } inode):
                    Among(processes, inode).Add(id);
                    break;
                case (false, _):
                    hidden++;
                    break;
                default:
                    break; // it has ended
            }
        }
        var mounts = new SortedDictionary<ulong, List<string>>();
        foreach (var (inode, path) in Mounted())
        {
            Among(mounts, inode).Add(path);
        }
        var found = new List<HeldNamespace>();
        foreach (var inode in processes.Keys.Union(mounts.Keys).Order())
        {
            var (its, at) = (processes.GetValueOrDefault(inode) ?? [], mounts.GetValueOrDefault(inode) ?? []);
            found.Add(new HeldNamespace(inode, its.Count > 0 ? $"/proc/{its[0].ToString(CultureInfo.InvariantCulture)}/ns/net" : at[0], its, at));
        }
        return (found, hidden);
    }

    /// <summary>The number in what a link of /proc/PID/ns says: <c>net:[4026531840]</c>.</summary>
    internal static ulong? Parse(string link) =>
        link.StartsWith(LinkBegin, StringComparison.Ordinal) && link.EndsWith(']')
        && ulong.TryParse(link.AsSpan(LinkBegin.Length, link.Length - LinkBegin.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var inode)
            ? inode
            : null;

    /// <summary>Namespaces in what /proc/PID/mountinfo says (proc_pid_mountinfo(5)): <c>… net:[4026532345] /run/netns/blue rw - nsfs nsfs rw</c>.</summary>
    internal static IEnumerable<(ulong Inode, string Path)> ParseMounts(string mountInfo)
    {
        foreach (var line in mountInfo.Split('\n'))
        {
            var words = line.Split(' ');
            if (words.Length > 4 && Parse(words[3]) is { } inode)
            {
                yield return (inode, words[4].Replace(@"\040", " ", StringComparison.Ordinal));
            }
        }
    }

    private static (bool MayBeRead, ulong? Inode) Link(string path)
    {
        try
        {
            return (true, File.ResolveLinkTarget(path, returnFinalTarget: false)?.Name is { } name ? Parse(name) : null);
        }
        catch (UnauthorizedAccessException)
        {
            return (false, null);
        }
        catch (IOException)
        {
            return (true, null);
        }
    }

    private static IEnumerable<(ulong, string)> Mounted()
    {
        try
        {
            return [.. ParseMounts(File.ReadAllText("/proc/self/mountinfo"))];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static List<T> Among<T>(SortedDictionary<ulong, List<T>> lists, ulong key)
    {
        if (!lists.TryGetValue(key, out var list))
        {
            lists.Add(key, list = []);
        }
        return list;
    }
}
