using System.Text;
using Plumb.Linux.Native;

namespace Plumb.Lab.Running;

/// <summary>Where a lab's files are: one directory a lab, all under one directory of the user's.</summary>
/// <param name="Root">Directory of all of the user's labs.</param>
public sealed record RunPaths(string Root, LabName Name)
{
    /// <summary>Longest path that a unix socket can be bound to: <c>sun_path</c> has 108 bytes with the final zero.</summary>
    public const int MaxSocketPathBytes = 107;

    private static readonly int LongestBelowRootBytes = 1 + LabName.MostLetters + "/node-50/cni.sock".Length;

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
            if (Encoding.UTF8.GetByteCount(root) + LongestBelowRootBytes <= MaxSocketPathBytes
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
        Span<uint> numbers = stackalloc uint[4];
        var id = 0u;
        for (var rest = status.AsSpan(); !rest.IsEmpty;)
        {
            var line = NextLine(ref rest);
            if (line.StartsWith("Uid:") && Numbers(line[4..], numbers) > 1)
            {
                id = numbers[1];
                break;
            }
        }
        for (var rest = map.AsSpan(); !rest.IsEmpty;)
        {
            if (Numbers(NextLine(ref rest), numbers) == 3 && id >= numbers[0] && id - numbers[0] < numbers[2])
            {
                return new RuntimeUser(id, numbers[1] + (id - numbers[0]));
            }
        }
        return new RuntimeUser(id, id);
    }

    // Plain loops: .NET's searches for several characters are compiled when first used, at the start of every command.
    private static ReadOnlySpan<char> NextLine(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf('\n');
        var line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return line;
    }

    /// <summary>Reads the decimal numbers of a line, as many as there is room for.</summary>
    private static int Numbers(ReadOnlySpan<char> line, Span<uint> numbers)
    {
        var count = 0;
        var inside = false;
        foreach (var letter in line)
        {
            if (!char.IsAsciiDigit(letter))
            {
                inside = false;
                continue;
            }
            if (!inside && count == numbers.Length)
            {
                break;
            }
            if (!inside)
            {
                numbers[count++] = 0;
                inside = true;
            }
            numbers[count - 1] = (numbers[count - 1] * 10) + (uint)(letter - '0');
        }
        return count;
    }
}
