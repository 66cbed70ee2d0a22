using System.Text;
using Plumb.Linux.Native;

namespace Plumb.Lab.Running;

/// <summary>Where a lab's files are: one directory a lab, all under one directory of the user's.</summary>
/// <param name="Root">Directory of all of the user's labs.</param>
public sealed record RunPaths(string Root, LabName Name)
{
    /// <summary>Longest path that a unix socket can be bound to: <c>sun_path</c> has 108 bytes with the final zero.</summary>
    public const int MaxSocketPathBytes = 107;

    public string Directory => Path.Combine(Root, Name.ToString());

    public string Lock => Path.Combine(Directory, "lock");

    public string Kubeconfig => Path.Combine(Directory, "kubeconfig");

    public string Socket => Path.Combine(Directory, "lab.sock");

    public string Log => Path.Combine(Directory, "log");

    /// <summary>The CNI configuration directories of all nodes.</summary>
    public string CniDirectory => Path.Combine(Directory, "cni");

    /// <summary><c>$XDG_RUNTIME_DIR/plumb</c> when that is the user's own and sockets fit below it, else <c>/tmp/plumb-UID</c>.</summary>
    public static string FindRoot() => FindRoot(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), RuntimeUser.Current);

    internal static string FindRoot(string? runtimeDirectory, RuntimeUser user)
    {
        if (runtimeDirectory is { Length: > 0 } && Path.IsPathRooted(runtimeDirectory))
        {
            var root = Path.Combine(runtimeDirectory, "plumb");
            var longest = Path.Combine(root, new string('n', 63), "node-50", "cni.sock");
            if (Encoding.UTF8.GetByteCount(longest) <= MaxSocketPathBytes
                && FileStatus.TryOfLink(runtimeDirectory) is { Type: FileType.Directory } status
                && status.OwnerId == user.EffectiveId)
            {
                return root;
            }
        }
        return $"/tmp/plumb-{user.OutsideId}";
    }
}

/// <summary>Whose labs these are.</summary>
/// <param name="EffectiveId">The user id by which the kernel knows this process in its own user namespace: the owner of its files.</param>
/// <param name="OutsideId">The user id that this is outside: a lab's own processes are root inside and still find their user's labs.</param>
internal readonly record struct RuntimeUser(uint EffectiveId, uint OutsideId)
{
    public static RuntimeUser Current { get; } = Read(File.ReadAllText("/proc/self/status"), File.ReadAllText("/proc/self/uid_map"));

    /// <param name="status"><c>/proc/self/status</c>, whose line <c>Uid:</c> has real, effective, saved and file system id.</param>
    /// <param name="map"><c>/proc/self/uid_map</c>: lines of first id inside, first id outside, count.</param>
    internal static RuntimeUser Read(string status, string map)
    {
        var id = 0u;
        foreach (var line in status.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("Uid:"))
            {
                id = Numbers(line[4..])[1];
            }
        }
        foreach (var line in map.AsSpan().EnumerateLines())
        {
            if (Numbers(line) is [var inside, var outside, var count] && id >= inside && id - inside < count)
            {
                return new RuntimeUser(id, outside + (id - inside));
            }
        }
        return new RuntimeUser(id, id);
    }

    private static List<uint> Numbers(ReadOnlySpan<char> line)
    {
        var numbers = new List<uint>(4);
        foreach (var range in line.SplitAny(' ', '\t'))
        {
            if (uint.TryParse(line[range], out var number))
            {
                numbers.Add(number);
            }
        }
        return numbers;
    }
}
