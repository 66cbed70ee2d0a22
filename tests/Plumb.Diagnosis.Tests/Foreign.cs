namespace Plumb.Diagnosis.Tests;

/// <summary>Kernels that were recorded in clusters of others; README there. A clone has them only with <c>shared</c> beside it.</summary>
internal static class Foreign
{
    public static string? Folder(string scenario)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, "shared", "fixtures", "foreign", scenario);
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }
        return null;
    }

    /// <summary>Skips the test where there is none.</summary>
    public static string Require(string scenario)
    {
        var folder = Folder(scenario);
        Assert.SkipWhen(folder is null, "no shared/fixtures/foreign beside this clone");
        return folder;
    }
}
