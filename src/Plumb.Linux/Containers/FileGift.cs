using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>Gives a file to another user or group (<c>lchown(2)</c>). A link itself is given, not what it leads to.</summary>
public static class FileGift
{
    private const uint Unchanged = uint.MaxValue;

    /// <exception cref="SystemCallException">The user namespace does not have the user (EINVAL), or this process may not.</exception>
    public static void ToUser(string path, uint user) => Give(path, user, Unchanged);

    /// <exception cref="SystemCallException">The user namespace does not have the group (EINVAL), or this process may not.</exception>
    public static void ToGroup(string path, uint group) => Give(path, Unchanged, group);

    private static void Give(string path, uint user, uint group)
    {
        if (Libc.ChangeOwner(path, user, group) < 0)
        {
            throw SystemCallException.Last("lchown", path);
        }
    }
}
