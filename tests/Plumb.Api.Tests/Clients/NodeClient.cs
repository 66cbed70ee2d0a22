namespace Plumb.Api.Tests.Clients;

/// <summary>Where npm puts the JavaScript client that nobody here wrote.</summary>
internal static class NodeClient
{
    public const string HowToGet = "@kubernetes/client-node is not there: npm ci --prefix tests/Plumb.Api.Tests/Clients/node";

    public static string Folder { get; } = Find();

    public static bool IsThere => Directory.Exists(Path.Combine(Folder, "node_modules"));

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Plumb.slnx")))
                return Path.Combine(at.FullName, "tests", "Plumb.Api.Tests", "Clients", "node");
        }

        return AppContext.BaseDirectory;
    }
}
