namespace Plumb.Linux.Native;

/// <summary><c>link(2)</c>, which .NET does not have: another name for a file; of a symbolic link, for the link.</summary>
public static class HardLink
{
    /// <exception cref="SystemCallException">There is no such file, or the name is taken.</exception>
    public static void Create(string file, string name)
    {
        if (Libc.Link(file, name) != 0)
        {
            throw SystemCallException.Last("link", $"{file} as {name}");
        }
    }
}
