using System.Text.Json.Nodes;

namespace Plumb.Api.Tests;

/// <summary>What a real API server answered, line by line. Kept beside the repository, not in it.</summary>
internal static class Fixtures
{
    private static readonly Lazy<string?> Folder = new(Find);

    /// <summary>Skips the test, with a line, where the recordings are not at hand.</summary>
    public static List<JsonObject> Read(string file)
    {
        Require();
        return [.. File.ReadLines(Path.Combine(Folder.Value!, file)).Select(static line => JsonNode.Parse(line)!.AsObject())];
    }

    /// <inheritdoc cref="Read"/>
    public static JsonNode? Document(string file)
    {
        Require();
        return JsonNode.Parse(File.ReadAllText(Path.Combine(Folder.Value!, file)));
    }

    private static void Require() =>
        Assert.SkipUnless(Folder.Value is not null, "no recordings of a real API server: shared/fixtures/apiserver-1.34 is not beside the repository");

    private static string? Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var candidate = Path.Combine(at.FullName, "shared", "fixtures", "apiserver-1.34");
            if (Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}
