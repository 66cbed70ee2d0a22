using Plumb.Lab;

namespace Plumb.Commands;

/// <summary>util-linux's program that enters a user namespace; a process with threads, as ours is, may not.</summary>
internal static class Nsenter
{
    /// <exception cref="LabException">It is not on this machine.</exception>
    public static string Find(string? path = null) =>
        (path ?? $"{Environment.GetEnvironmentVariable("PATH")}:/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(static folder => Path.Combine(folder, "nsenter"))
            .FirstOrDefault(File.Exists)
        ?? throw new LabException("plumb needs the program `nsenter` (package util-linux) to enter a lab, and it is not in PATH; install util-linux");
}
