namespace Plumb.Linux.Containers;

/// <summary>Whom a container's processes run as. Only ids that the user namespace has can be had.</summary>
public sealed record ContainerUser(uint User, uint Group, IReadOnlyList<uint> Groups)
{
    public static ContainerUser Root { get; } = new(0, 0, []);

    public bool IsRoot => User == 0 && Group == 0 && Groups.Count == 0;

    /// <summary>Whether this process's user namespace has both ids (user_namespaces(7)).</summary>
    public bool IsMapped => Maps("/proc/self/uid_map", User) && Maps("/proc/self/gid_map", Group);

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
