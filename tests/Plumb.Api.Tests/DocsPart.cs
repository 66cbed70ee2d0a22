namespace Plumb.Api.Tests;

/// <summary>A part of a page of docs/ that a test writes: PLUMB_RENEW=1 renews it.</summary>
internal static class DocsPart
{
    public static void Hold(string page, string begin, string end, string wanted)
    {
        var path = Path.Combine(Docs(), page);
        var text = File.ReadAllText(path);
        var from = text.IndexOf(begin, StringComparison.Ordinal);
        var to = text.IndexOf(end, StringComparison.Ordinal);
        Assert.True(from >= 0 && to > from, $"docs/{page} has no lines {begin} and {end}");
        var renewed = $"{text[..from]}{begin}\n{wanted}{text[to..]}";
        if (renewed == text)
            return;
        if (Environment.GetEnvironmentVariable("PLUMB_RENEW") is { Length: > 0 })
            File.WriteAllText(path, renewed);
        else
            Assert.Fail($"docs/{page} says another share: PLUMB_RENEW=1 artifacts/bin/Plumb.Api.Tests/release/Plumb.Api.Tests, and read git diff\n{wanted}");
    }

    private static string Docs()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Plumb.slnx")))
                return Path.Combine(at.FullName, "docs");
        }

        throw new DirectoryNotFoundException("no checkout of Plumb above " + AppContext.BaseDirectory);
    }
}
