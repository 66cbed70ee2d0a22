namespace Plumb.Linux.Containers;

/// <summary>Whom a container's processes run as. Only ids that the user namespace has can be had.</summary>
public sealed record ContainerUser(uint User, uint Group, IReadOnlyList<uint> Groups)
{
    public static ContainerUser Root { get; } = new(0, 0, []);

    /// <summary>It stands in for another user, whom the namespace lacks: it has root's id, and is to have no capability of it.</summary>
    public bool IsPowerless { get; init; }

    public bool IsRoot => User == 0 && Group == 0 && Groups.Count == 0;

    /// <summary>Whether this process's user namespace has all the ids (user_namespaces(7)).</summary>
    public bool IsMapped => Maps("/proc/self/uid_map", User) && Maps("/proc/self/gid_map", Group) && Groups.All(static group => Maps("/proc/self/gid_map", group));

    /// <summary>Whether nobody else can be: files cannot be given to another user either (chown: EINVAL).</summary>
    public static bool IsAlone => !Maps("/proc/self/uid_map", 1);

    /// <summary>Whether this process's user namespace has ids beside root's that are subordinate to the user who made it: not all of the machine's.</summary>
    public static bool AreSubordinate => !IsAlone && IsNested;

    /// <summary>Whether this process's user namespace is not the machine's: what root is in it, the machine's own kernel parameters do not obey.</summary>
    public static bool IsNested => !Maps("/proc/self/uid_map", uint.MaxValue - 1);

    /// <summary>The highest group of this process's user namespace up to which all are had.</summary>
    public static uint LastGroup
    {
        get
        {
            ulong next = 0;
            foreach (var (first, count) in Ranges("/proc/self/gid_map").OrderBy(static range => range.First))
            {
                next = first == next ? (ulong)first + count : next;
            }
            return (uint)Math.Max(next, 1) - 1;
        }
    }

    private static bool Maps(string map, uint id)
    {
        foreach (var (first, count) in Ranges(map))
        {
            if (id >= first && id - first < count)
            {
                return true;
            }
        }
        return false;
    }

    private static IEnumerable<(uint First, uint Count)> Ranges(string map)
    {
        foreach (var line in File.ReadLines(map))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (uint.TryParse(fields[0], out var first) && uint.TryParse(fields[2], out var count))
            {
                yield return (first, count);
            }
        }
    }
}
