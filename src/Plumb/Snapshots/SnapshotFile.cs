using Plumb.CommandLine;
using Plumb.Diagnosis.Snapshots;

namespace Plumb.Snapshots;

/// <summary>A file that is there whole or not at all: written beside its place, and moved there when every byte of it is on the disk.</summary>
internal static class SnapshotFile
{
    /// <param name="path"><c>-</c>: standard output.</param>
    /// <param name="named">How the command line says which file, as messages begin.</param>
    /// <param name="force">Takes the place of a file that is there.</param>
    /// <returns>How many bytes were written; null where nobody can know.</returns>
    /// <exception cref="SnapshotException">It is there already, or cannot be written; nothing is left of it.</exception>
    public static async Task<long?> WriteAsync(string path, bool force, Func<Stream, Task> write, string named = "-o: ")
    {
        if (path == "-")
        {
            await using var output = Console.OpenStandardOutput();
            await write(output);
            return null;
        }
        var whole = Path.GetFullPath(path);
        RefuseTaken(whole, named + path, force);
        var beside = Path.Combine(Path.GetDirectoryName(whole) ?? "/", $".{Path.GetFileName(whole)}.{Environment.ProcessId}");
        try
        {
            long bytes;
            await using (var file = new FileStream(beside, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 1 << 16,
                // A network's addresses and objects are its owner's.
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                await write(file);
                file.Flush(flushToDisk: true);
                bytes = file.Length;
            }
            RefuseTaken(whole, named + path, force);
            File.Move(beside, whole, overwrite: force);
            return bytes;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SnapshotException($"{named}{path} cannot be written: {refused.Message.Replace(beside, whole, StringComparison.Ordinal)}", refused);
        }
        finally
        {
            if (File.Exists(beside))
            {
                File.Delete(beside);
            }
        }
    }

    private static void RefuseTaken(string whole, string path, bool force)
    {
        if (Directory.Exists(whole))
        {
            throw new SnapshotException($"{path} is a directory");
        }
        if (!force && File.Exists(whole))
        {
            throw new UsageException($"{path} is there already; name another file, or add --force");
        }
    }
}
