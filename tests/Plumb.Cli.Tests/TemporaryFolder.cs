namespace Plumb.Cli.Tests;

internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => FullName = Directory.CreateTempSubdirectory("plumb-cli-").FullName;

    public string FullName { get; }

    public string PathOf(string name) => Path.Combine(FullName, name);

    public string Write(string name, string text, bool executable = false)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        if (executable)
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        return path;
    }

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
