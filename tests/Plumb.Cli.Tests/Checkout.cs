namespace Plumb.Cli.Tests;

internal static class Checkout
{
    /// <summary>The folder that holds `Plumb.slnx`: the tests may run from a copy, so it is looked for upwards from their own file.</summary>
    public static string Root { get; } = Find();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Plumb.slnx")))
                return folder.FullName;
        throw new InvalidOperationException($"no Plumb.slnx above {AppContext.BaseDirectory}");
    }
}
