namespace Plumb.Linux.Processes;

/// <summary>A process has one id in each pid namespace that it is seen from (pid_namespaces(7)).</summary>
public static class ProcessIdentity
{
    /// <summary>The id by which this process sees the one that <paramref name="memberId"/>'s pid namespace knows as <paramref name="innerId"/>; null: there is none.</summary>
    /// <param name="memberId">Any process of that namespace, as this process sees it.</param>
    public static int? FromInside(int memberId, int innerId)
    {
        if (PidNamespaceOf(memberId) is not { } space)
        {
            return null;
        }
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out var outerId) && InnermostId(directory) == innerId && PidNamespaceOf(outerId) == space)
            {
                return outerId;
            }
        }
        return null;
    }

    private static string? PidNamespaceOf(int processId)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{processId}/ns/pid", returnFinalTarget: false)?.Name;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended, or is another user's
        }
    }

    // "NSpid:	12345	7": the ids from the reader's namespace inwards.
    private static int? InnermostId(string directory)
    {
        try
        {
            foreach (var line in File.ReadLines(Path.Combine(directory, "status")))
            {
                if (line.StartsWith("NSpid:", StringComparison.Ordinal))
                {
                    return int.TryParse(line.AsSpan(line.LastIndexOf('\t') + 1), out var id) ? id : null;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        return null;
    }
}
