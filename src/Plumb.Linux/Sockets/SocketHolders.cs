using System.Globalization;

namespace Plumb.Linux.Sockets;

/// <summary>Which processes have sockets open, as their /proc/PID/fd tells: those of other users do not.</summary>
public static class SocketHolders
{
    private const string LinkBegin = "socket:[";

    /// <summary>The lowest process id for each socket that somebody is found to have open.</summary>
    /// <param name="inodes">Which sockets: <see cref="BoundSocket.Inode"/>.</param>
    public static IReadOnlyDictionary<uint, int> Of(IReadOnlySet<uint> inodes)
    {
        ArgumentNullException.ThrowIfNull(inodes);
        var found = new Dictionary<uint, int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                foreach (var inode in Of(id))
                {
                    if (inodes.Contains(inode) && (!found.TryGetValue(inode, out var other) || id < other))
                    {
                        found[inode] = id;
                    }
                }
            }
        }
        return found;
    }

    /// <summary>The sockets that a process has open.</summary>
    public static IReadOnlyList<uint> Of(int processId)
    {
        var inodes = new List<uint>();
        try
        {
            foreach (var descriptor in Directory.EnumerateFileSystemEntries($"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/fd"))
            {
                if (File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name is { } name && name.StartsWith(LinkBegin, StringComparison.Ordinal)
                    && uint.TryParse(name.AsSpan(LinkBegin.Length, name.Length - LinkBegin.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var inode))
                {
                    inodes.Add(inode);
                }
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is another user's.
        }
        return inodes;
    }
}
