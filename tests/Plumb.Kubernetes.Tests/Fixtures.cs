using System.Text.Json.Nodes;

namespace Plumb.Kubernetes.Tests;

/// <summary>Answers recorded from a real API server, kept beside the clone in `shared/fixtures`; tests that need them are skipped where they are not.</summary>
internal static class Fixtures
{
    private static readonly string? Folder = Find();

    public static IEnumerable<JsonObject> Lines(string file)
    {
        if (Folder is null)
            Assert.Skip("no recorded answers: shared/fixtures/apiserver-1.34 is not beside the clone");
        foreach (string line in File.ReadLines(Path.Combine(Folder, file)))
            yield return JsonNode.Parse(line)!.AsObject();
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "fixtures", "apiserver-1.34");
            if (Directory.Exists(candidate))
                return candidate;
        }
        return null;
    }
}
