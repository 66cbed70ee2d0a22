using System.Globalization;

namespace Plumb.Linux.Sockets;

/// <summary>Which processes are at the other end of a tun or tap device, as their /proc/PID/fdinfo tells: those of other users do not.</summary>
public static class TunHolders
{
    private const string Line = "iff:";

    /// <summary>Process ids with the names of their programs. A device of this name in another namespace counts too: nothing tells them apart.</summary>
    public static IReadOnlyList<(int Id, string Program)> Of(string device)
    {
        var found = new List<(int, string)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }
            try
            {
                foreach (var descriptor in Directory.EnumerateFileSystemEntries($"{directory}/fd"))
                {
                    if (File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName == "/dev/net/tun" && Names(File.ReadAllText($"{directory}/fdinfo/{Path.GetFileName(descriptor)}"), device))
                    {
                        found.Add((id, File.ReadAllText($"{directory}/comm").Trim()));
                        break;
                    }
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is another user's.
            }
        }
        return found;
    }

    // tun_chr_show_fdinfo
    internal static bool Names(string fdinfo, string device)
    {
        foreach (var line in fdinfo.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(Line, StringComparison.Ordinal) && line[Line.Length..].Trim().SequenceEqual(device))
            {
                return true;
            }
        }
        return false;
    }
}
