using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>A control group of the unified hierarchy (<c>cgroups(7)</c>, version 2; the kernel's admin-guide/cgroup-v2): a directory whose files are its properties.</summary>
/// <param name="path">Of the directory, as this process sees it.</param>
public sealed class ControlGroup(string path)
{
    private const string Members = "cgroup.procs";
    private const string Offered = "cgroup.subtree_control";

    public string Path { get; } = path;

    /// <summary>The hierarchy's root has neither limits nor a type, and may have processes beside groups below it.</summary>
    public bool IsRoot => !File.Exists(File_("cgroup.type"));

    /// <summary>Whether this process may make groups here and move its own processes into them: it is root, or the group was delegated to its user.</summary>
    public bool IsWritable => Libc.Access(Path, Libc.W_OK | Libc.X_OK) == 0 && Libc.Access(File_(Members), Libc.W_OK) == 0;

    /// <summary>What can be limited here: <c>memory</c>, <c>cpu</c>, <c>pids</c>… None where each has a hierarchy of its own (version 1).</summary>
    public IReadOnlyList<string> Controllers => Read("cgroup.controllers").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The group that this process is in; null: no unified hierarchy is mounted in its sight.</summary>
    public static ControlGroup? OfThisProcess()
    {
        // 36 25 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw (proc_pid_mountinfo(5))
        var mount = File.ReadLines("/proc/self/mountinfo").Select(static line => line.Split(' ')).FirstOrDefault(static words => words.AsSpan().IndexOf("-") is var end and > 0 && words[end + 1] == "cgroup2");
        var own = File.ReadLines("/proc/self/cgroup").FirstOrDefault(static line => line.StartsWith("0::/", StringComparison.Ordinal))?[3..];
        if (mount is null || own is null)
        {
            return null;
        }
        // What is mounted may be a part of the hierarchy; a group outside of it reads as /../…
        var shown = mount[3].TrimEnd('/');
        return own.StartsWith(shown, StringComparison.Ordinal) && !own.Contains("/..", StringComparison.Ordinal)
            ? new ControlGroup((mount[4] + own[shown.Length..]).TrimEnd('/'))
            : null;
    }

    /// <summary>The group of this name below, made where it is not yet.</summary>
    /// <exception cref="IOException">The kernel refuses it (<c>cgroup.max.descendants</c>).</exception>
    public ControlGroup Make(string name) => new(Directory.CreateDirectory(File_(name)).FullName);

    /// <summary>Lets groups below limit these.</summary>
    /// <returns>False: a controller is not to be had here, or this group has processes of its own and is not the root.</returns>
    public bool TryOffer(params ReadOnlySpan<string> controllers)
    {
        try
        {
            Write(Offered, "+" + string.Join(" +", controllers!));
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Takes that back; groups below have none of it any more.</summary>
    public void Withdraw(params ReadOnlySpan<string> controllers) => Write(Offered, "-" + string.Join(" -", controllers!));

    /// <summary>Moves a process here; what it starts from now on is born here.</summary>
    /// <param name="process">As this process numbers it; 0: this process.</param>
    /// <exception cref="IOException">It has ended (ESRCH), or this group has given controllers to groups below (EBUSY).</exception>
    public void Take(int process) => Write(Members, process.ToString(CultureInfo.InvariantCulture));

    /// <summary>A file by which whoever has it moves itself here, by writing 0: the kernel asks who opened it (Linux 5.16).</summary>
    public SafeFileHandle OpenMembers() => File.OpenHandle(File_(Members), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

    /// <summary>Sets one of the group's files.</summary>
    /// <exception cref="IOException">There is no such controller here, or the value is none.</exception>
    public void Write(string file, string value)
    {
        // One write(2) is one order.
        using var stream = new FileStream(File_(file), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(value));
    }

    /// <summary>The text of one of the group's files; empty: there is none.</summary>
    public string Read(string file)
    {
        try
        {
            return File.ReadAllText(File_(file));
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>A number of a file of `name number` lines, as <c>memory.events</c>; 0 where there is none.</summary>
    public long Count(string file, string name)
    {
        foreach (var line in Read(file).Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ' ')
            {
                return long.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
            }
        }
        return 0;
    }

    /// <summary>Ends all processes in it and below (Linux 5.14).</summary>
    public void Kill()
    {
        try
        {
            Write("cgroup.kill", "1");
        }
        catch (IOException)
        {
            // It is gone, or the kernel is older.
        }
    }

    /// <summary>Removes it and the empty groups below.</summary>
    /// <returns>False: somebody is left in it.</returns>
    public bool TryRemove()
    {
        try
        {
            foreach (var below in Directory.EnumerateDirectories(Path))
            {
                if (!new ControlGroup(below).TryRemove())
                {
                    return false;
                }
            }
            // rmdir(2): its files go with it.
            Directory.Delete(Path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private string File_(string name) => $"{Path}/{name}";
}
