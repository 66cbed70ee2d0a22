namespace Plumb.Linux.Containers;

/// <summary>Whom a container's processes run as. Only ids that the user namespace has can be had.</summary>
public sealed record ContainerUser(uint User, uint Group, IReadOnlyList<uint> Groups)
{
    public static ContainerUser Root { get; } = new(0, 0, []);

    public bool IsRoot => User == 0 && Group == 0 && Groups.Count == 0;

    /// <summary>Whether this process's user namespace has all the ids (user_namespaces(7)).</summary>
    public bool IsMapped => Maps("/proc/self/uid_map", User) && Maps("/proc/self/gid_map", Group) && Groups.All(static group => Maps("/proc/self/gid_map", group));

    /// <summary>Whether nobody else can be: files cannot be given to another user either (chown: EINVAL).</summary>
    public static bool IsAlone => !Maps("/proc/self/uid_map", 1);

    /// <summary>Whether this process's user namespace has ids beside root's that are subordinate to the user who made it: not all of the machine's.</summary>
    public static bool AreSubordinate => Maps("/proc/self/uid_map", 1) && !Maps("/proc/self/uid_map", uint.MaxValue - 1);

    private static bool Maps(string map, uint id)
    {
        foreach (var line in File.ReadLines(map))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (uint.TryParse(fields[0], out var first) && uint.TryParse(fields[2], out var count) && id >= first && id - first < count)
            {
                return true;
            }
        }
        return false;
    }
}
