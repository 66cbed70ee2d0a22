namespace Plumb.House;

/// <summary>The checkout that these tests read: found upwards from their own file, for they may run from a copy.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>C# files below a folder of the checkout, with paths relative to the checkout.</summary>
    public static IEnumerable<Source> Sources(params string[] folders) =>
        from folder in folders
        let full = Path.Combine(Root, folder)
        where Directory.Exists(full)
        from file in Directory.EnumerateFiles(full, "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        select new Source(Path.GetRelativePath(Root, file));

    public static IEnumerable<string> Pages() =>
        from file in Directory.EnumerateFiles(Root, "*.md", new EnumerationOptions { RecurseSubdirectories = true })
        let relative = Path.GetRelativePath(Root, file)
        where !relative.StartsWith("artifacts/", StringComparison.Ordinal) && !relative.Contains("/node_modules/", StringComparison.Ordinal)
        orderby relative
        select relative;

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Plumb.slnx")))
                return folder.FullName;
        throw new InvalidOperationException($"no Plumb.slnx above {AppContext.BaseDirectory}");
    }
}

/// <summary>A C# file: its path relative to the checkout, and its lines without comments.</summary>
internal sealed record Source(string Path)
{
    private string[]? _lines;

    public string[] Lines => _lines ??= File.ReadAllLines(System.IO.Path.Combine(Repository.Root, Path));

    public string Name => System.IO.Path.GetFileName(Path);

    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>The project's folder name: the second part of the path.</summary>
    public string Project => Path.Split('/')[1];

    /// <summary>Lines of code with their numbers from 1; what follows `//` is cut off.</summary>
    public IEnumerable<(int Number, string Text)> Code()
    {
        for (var i = 0; i < Lines.Length; i++)
        {
            var text = Lines[i];
            var trimmed = text.AsSpan().TrimStart();
            if (trimmed.StartsWith("//"))
                continue;
            var comment = text.IndexOf(" // ", StringComparison.Ordinal);
            yield return (i + 1, comment < 0 ? text : text[..comment]);
        }
    }
}
