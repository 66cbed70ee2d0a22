using Plumb.Linux.State;

namespace Plumb.Agent.Storage;

/// <summary>
/// The agent's writes to disk, every one of them counted at one place before it is done, so that a test can end the agent between
/// any two.
/// </summary>
/// <param name="synchronise">Whether a write is on its disk before the call returns; on a tmpfs there is no disk.</param>
internal sealed class AgentFiles(IWriteSeam writes, bool synchronise)
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    /// <summary>0755</summary>
    public const UnixFileMode Program = PublicFile | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private const UnixFileMode PublicFile = PrivateFile | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Another one after each start of the machine: <c>random(4)</c>.</summary>
    public static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Whether a directory, which need not be there yet, is on a file system that outlives the machine's power.</summary>
    public static bool IsOnDisk(string directory)
    {
        var there = Path.GetFullPath(directory);
        while (!Directory.Exists(there))
        {
            there = Path.GetDirectoryName(there)!;
        }
        var format = new DriveInfo(there).DriveFormat;
        return format is not ("tmpfs" or "ramfs");
    }

    public void CreateDirectory(string path)
    {
        if (!Directory.Exists(path))
        {
            writes.BeforeWrite($"mkdir {path}");
            Directory.CreateDirectory(path);
        }
    }

    /// <summary>Where a file's new content stands until it is whole.</summary>
    public static string TemporaryOf(string path) => $"{path}.new";

    /// <summary>O_CREAT | O_EXCL. What could not be written whole is gone again; what was there before stays.</summary>
    /// <exception cref="IOException">There is such a file, or no room for it.</exception>
    public void CreateNew(string path, ReadOnlySpan<byte> content)
    {
        writes.BeforeWrite($"create {path}");
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, content.Length);
        try
        {
            writes.BeforeWrite($"write {path}");
            Write(file, content);
        }
        catch (IOException)
        {
            TryDelete(path);
            throw;
        }
    }

    /// <summary>A reader sees the old content or the new, never a part; nothing is written when they are the same.</summary>
    public void Replace(string path, ReadOnlySpan<byte> content, bool readableByAll = false)
    {
        if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(content))
        {
            return;
        }
        var temporary = TemporaryOf(path);
        writes.BeforeWrite($"write {temporary}");
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            File.SetUnixFileMode(file, readableByAll ? PublicFile : PrivateFile);
            Write(file, content);
        }
        writes.BeforeWrite($"rename {path}");
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>
    /// Copies a file to where it may be in use: whoever has it open keeps the old one, and nobody meets a part of the new. Nothing is written when they are the same.
    /// </summary>
    public void Install(string from, string to, UnixFileMode mode)
    {
        if (File.Exists(to) && File.GetUnixFileMode(to) == mode && FileContents.AreSame(from, to))
        {
            return;
        }
        var temporary = TemporaryOf(to);
        writes.BeforeWrite($"write {temporary}");
        File.Copy(from, temporary, overwrite: true);
        File.SetUnixFileMode(temporary, mode);
        if (synchronise)
        {
            using var file = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(file);
        }
        writes.BeforeWrite($"rename {to}");
        File.Move(temporary, to, overwrite: true);
    }

    /// <summary>Nothing happens when there is no such file.</summary>
    public void Delete(string path)
    {
        writes.BeforeWrite($"delete {path}");
        File.Delete(path);
    }

    /// <summary>False when there is no such file; then nothing is written.</summary>
    public bool DeleteIfThere(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }
        Delete(path);
        return true;
    }

    /// <summary>As <see cref="Delete"/>, on the way out of another failure.</summary>
    public void TryDelete(string path)
    {
        try
        {
            Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The failure that led here is the one to tell; a file left over is found at the next start.
        }
    }

    private void Write(Microsoft.Win32.SafeHandles.SafeFileHandle file, ReadOnlySpan<byte> content)
    {
        RandomAccess.Write(file, content, 0);
        if (synchronise)
        {
            RandomAccess.FlushToDisk(file);
        }
    }
}
