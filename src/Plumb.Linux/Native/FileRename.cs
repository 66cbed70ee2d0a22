namespace Plumb.Linux.Native;

/// <summary><c>rename(2)</c>: what was at the new place is replaced in one step, also where one of both is a symbolic link, which .NET's own moves follow.</summary>
public static class FileRename
{
    /// <exception cref="SystemCallException">The old name is as it was.</exception>
    public static void Replace(string from, string to)
    {
        if (Libc.Rename(from, to) != 0)
        {
            throw SystemCallException.Last("rename", $"{from} to {to}");
        }
    }
}
