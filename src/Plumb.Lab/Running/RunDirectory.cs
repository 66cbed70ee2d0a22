using Plumb.Linux.Native;

namespace Plumb.Lab.Running;

/// <summary>
/// A lab's run directory, held by the lab's process through a lock (flock) on a file in it. When the process ends, however it ends, the
/// lock is free, and the next command of the same user removes what is left.
/// </summary>
internal sealed class RunDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int EWOULDBLOCK = 11;

    // Whoever sweeps holds the lock of a dead lab's directory for the time of one rename.
    private static readonly TimeSpan SweeperPatience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(10);

    private readonly FileStream _lock;

    private RunDirectory(RunPaths paths, FileStream held)
    {
        Paths = paths;
        _lock = held;
    }

    public RunPaths Paths { get; }

    /// <summary>Takes the name for this process and makes an empty directory for it.</summary>
    /// <exception cref="LabException">The name is in use, or the directory cannot be made or is not safe to use.</exception>
    public static async Task<RunDirectory> ClaimAsync(RunPaths paths, TimeProvider time, CancellationToken cancel)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            if (Guard(paths.Directory, () => TryClaim(paths)) is { } claimed)
            {
                return claimed;
            }
            if (File.Exists(paths.Socket) || time.GetElapsedTime(since) > SweeperPatience)
            {
                throw InUse(paths.Name);
            }
            await Task.Delay(RetryInterval, time, cancel);
        }
    }

    /// <summary>Whether a process holds the lab's name. False also means that nothing is left of it.</summary>
    public static bool IsHeld(RunPaths paths) => IsOurs(paths.Root) && File.Exists(paths.Lock) && !TryRemove(paths);

    /// <summary>Removes the directories of labs whose process is gone; returns the names of those that live.</summary>
    public static LabName[] Sweep(string root)
    {
        var alive = new List<RunPaths>();
        if (!IsOurs(root))
        {
            return [];
        }
        foreach (var directory in Directory.EnumerateDirectories(root))
        {
            var name = Path.GetFileName(directory);
            if (name.StartsWith('.'))
            {
                // Renamed by a sweeper that was itself killed.
                DeleteTree(directory);
            }
            else if (LabName.IsLabel(name))
            {
                var paths = new RunPaths(root, LabName.Parse(name));
                if (!TryRemove(paths))
                {
                    alive.Add(paths);
                }
            }
        }
        RemoveIfEmpty(root);
        alive.Sort(static (left, right) => string.CompareOrdinal(left.Directory, right.Directory));
        var names = new LabName[alive.Count];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = alive[i].Name;
        }
        return names;
    }

    // Under /tmp anybody may have made it.
    private static bool IsOurs(string root) =>
        FileStatus.TryOfLink(root) is { Type: FileType.Directory } status && status.OwnerId == RuntimeUser.Current.EffectiveId;

    public static LabException InUse(LabName name) =>
        new($"a lab named '{name}' is already running; `plumb down {name}` ends it, `--name NAME` starts another beside it");

    /// <summary>Makes a directory that only the user can enter.</summary>
    public static string MakeDirectory(string path) => Guard(path, () => Directory.CreateDirectory(path, OwnerOnly).FullName);

    /// <summary>Writes a file that only the user can read, whole or not at all.</summary>
    public static void WriteFile(string path, string text) => Guard(path, () =>
    {
        var part = path + ".part";
        using (var stream = new FileStream(part, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        }
        File.Move(part, path, overwrite: true);
        return true;
    });

    public void Dispose()
    {
        Remove(Paths);
        _lock.Dispose();
        RemoveIfEmpty(Paths.Root);
    }

    /// <summary>Null: another process holds it, or removed it just now.</summary>
    private static RunDirectory? TryClaim(RunPaths paths)
    {
        MakeSafe(paths.Root);
        MakeSafe(paths.Directory);
        if (TryLock(paths, FileMode.OpenOrCreate) is not { } held)
        {
            return null;
        }
        try
        {
            foreach (var left in Directory.EnumerateFileSystemEntries(paths.Directory))
            {
                if (left != paths.Lock)
                {
                    DeleteTree(left);
                }
            }
            // A full disk shows itself here and not in the middle of the start.
            held.SetLength(0);
            held.Write("held by the lab's process\n"u8);
            held.Flush();
            return new RunDirectory(paths, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static bool TryRemove(RunPaths paths)
    {
        if (TryLock(paths, FileMode.OpenOrCreate) is not { } held)
        {
            return !Directory.Exists(paths.Directory);
        }
        using (held)
        {
            Remove(paths);
        }
        return true;
    }

    /// <summary>Null when another process has the lock, or the file was removed while this one waited for it.</summary>
    private static FileStream? TryLock(RunPaths paths, FileMode mode)
    {
        FileStream held;
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB).
            held = new FileStream(paths.Lock, new FileStreamOptions
            {
                Mode = mode,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException locked) when (locked.HResult == EWOULDBLOCK)
        {
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        if (FileStatus.TryOfLink(paths.Lock) is { } named && named.Identity == FileStatus.Of(held.SafeFileHandle).Identity)
        {
            return held;
        }
        held.Dispose();
        return null;
    }

    // Under another name first: at no moment does a directory of this name exist without its lock.
    private static void Remove(RunPaths paths)
    {
        var gone = Path.Combine(paths.Root, $".{paths.Name}-{Guid.NewGuid():n}");
        try
        {
            Directory.Move(paths.Directory, gone);
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }
        DeleteTree(gone);
    }

    private static void DeleteTree(string path)
    {
        try
        {
            if (FileStatus.TryOfLink(path) is { Type: FileType.Directory })
            {
                Directory.Delete(path, recursive: true);
            }
            else
            {
                File.Delete(path);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Another sweeper was faster.
        }
        catch (UnauthorizedAccessException) when (Open(path))
        {
            DeleteTree(path);
        }
    }

    /// <summary>Gives the owner back what programs in a lab, who are root there, have taken from directories.</summary>
    /// <returns>False: there was nothing to give.</returns>
    private static bool Open(string directory)
    {
        var changed = (File.GetUnixFileMode(directory) & OwnerOnly) != OwnerOnly;
        if (changed)
        {
            File.SetUnixFileMode(directory, OwnerOnly);
        }
        foreach (var below in Directory.EnumerateDirectories(directory))
        {
            changed |= FileStatus.TryOfLink(below) is { Type: FileType.Directory } && Open(below);
        }
        return changed;
    }

    private static void RemoveIfEmpty(string root)
    {
        try
        {
            Directory.Delete(root, recursive: false);
        }
        catch (IOException)
        {
            // Another lab is in it, or another command removed it.
        }
    }

    private const int MostAttempts = 100;

    private static void MakeSafe(string path)
    {
        // Another command may find it empty and take it away in between.
        FileStatus? status = null;
        for (var attempt = 0; status is null && attempt < MostAttempts; attempt++)
        {
            Directory.CreateDirectory(path, OwnerOnly);
            status = FileStatus.TryOfLink(path);
        }
        var fault = status switch
        {
            null => "it vanished",
            { Type: FileType.SymbolicLink } => "it is a symbolic link",
            { Type: not FileType.Directory } => "it is no directory",
            { } other when other.OwnerId != RuntimeUser.Current.EffectiveId => "it belongs to another user",
            { } open when (open.Mode & ~OwnerOnly) != 0 => "others can enter it (its mode has to be 0700)",
            _ => null,
        };
        if (fault is not null)
        {
            throw new LabException($"{path} cannot be a lab's run directory: {fault}; remove it, or set XDG_RUNTIME_DIR to a directory of your own");
        }
    }

    private static T Guard<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new LabException(
                $"cannot write the lab's run directory {path}: {Reason(refused)}; make room or set XDG_RUNTIME_DIR to a directory of your own",
                refused);
        }
    }

    // .NET's text ends with " : 'path'", which the line already names.
    private static string Reason(Exception refused)
    {
        var text = refused.Message;
        var path = text.IndexOf(" : '", StringComparison.Ordinal);
        return (path > 0 ? text[..path] : text).TrimEnd('.');
    }
}
