using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Agent.Cni;

/// <summary>The network configuration by which a container runtime finds the plugin; that it is there means that pods can be served.</summary>
internal static class CniConfigurationFile
{
    /// <summary>Runtimes take the first in the order of names.</summary>
    public const string Name = "10-plumb.conflist";

    /// <summary>What the plugin is, too, when a configuration names it so.</summary>
    public const string LoopbackPlugin = "loopback";

    // The plugin, which has no JSON library, takes few escapes in a path.
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // As libcni and the runtimes above it choose: by these endings, the first name in the order of bytes.
    private static readonly string[] Endings = [".conf", ".conflist", ".json"];

    /// <summary>The path of somebody else's configuration that runtimes take before ours; null: ours is the first.</summary>
    public static string? Before(string directory) => Directory.EnumerateFiles(directory)
        .Where(static path => Endings.Contains(Path.GetExtension(path)) && string.CompareOrdinal(Path.GetFileName(path), Name) < 0)
        .Order(StringComparer.Ordinal)
        .FirstOrDefault();

    /// <param name="type">Name of the plugin, and of its executable where there is one.</param>
    public static string Text(string type, string socketPath)
    {
        var configuration = new JsonObject
        {
            // What every runtime of today takes; those that know of cniVersions choose the newest.
            ["cniVersion"] = "1.0.0",
            ["cniVersions"] = new JsonArray([.. CniVersion.Supported.Select(static version => (JsonNode)version)]),
            ["name"] = "plumb",
            ["plugins"] = new JsonArray(new JsonObject
            {
                ["type"] = type,
                ["socket"] = socketPath,
                ["capabilities"] = new JsonObject { ["portMappings"] = true, ["bandwidth"] = true },
            }),
        };
        return configuration.ToJsonString(Readable) + "\n";
    }
}
