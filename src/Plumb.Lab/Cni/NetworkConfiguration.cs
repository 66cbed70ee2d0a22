using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Lab.Running;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Cni;

/// <summary>A network configuration (CNI 1.1.0, section 1): which plugins run for a pod, one after the other.</summary>
/// <param name="Version">The newest of those that it lists and that are spoken here.</param>
/// <param name="DisableCheck">CHECK is not to be called.</param>
/// <param name="DisableGc">GC is not to be called.</param>
public sealed record NetworkConfiguration(string Name, string Version, bool DisableCheck, bool DisableGc, IReadOnlyList<PluginConfiguration> Plugins)
{
    /// <summary>As somebody wrote it.</summary>
    internal string Text { get; init; } = "";

    /// <summary>STATUS and GC came with 1.1.0, CHECK with 0.4.0.</summary>
    internal bool Knows(string verb) => CniVersion.IsAtLeast(Version, verb is "STATUS" or "GC" ? "1.1.0" : verb is "CHECK" ? "0.4.0" : "0.0.0");

    private static readonly string[] Extensions = [".conf", ".conflist", ".json"];

    /// <summary>Whether a runtime reads a file of this name.</summary>
    public static bool IsName(string path) => Extensions.Contains(Path.GetExtension(path));

    /// <summary>The file that a runtime takes: the first in the order of names; null: there is none, or no directory.</summary>
    public static string? FindIn(string directory)
    {
        try
        {
            return Directory.EnumerateFiles(directory).Where(IsName).Min(StringComparer.Ordinal);
        }
        catch (DirectoryNotFoundException)
        {
            return null; // somebody took it away, and may make it again
        }
    }

    /// <summary>Copies files to where a node's runtime looks for them. A file is the same for all nodes but for the range that each has: containerd's templates name it so.</summary>
    internal static void Give(IReadOnlyList<string> files, string directory, IpPrefix range)
    {
        foreach (var path in files)
        {
            RunDirectory.WriteFile(Path.Combine(directory, Path.GetFileName(path)), File.ReadAllText(path).Replace("{{.PodCIDR}}", range.ToString(), StringComparison.Ordinal));
        }
    }

    /// <summary>Reads a list of plugins, or the configuration of a single one.</summary>
    /// <exception cref="LabException">It is none: the message is one line that names the file and the fault.</exception>
    public static NetworkConfiguration Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (JsonException broken)
        {
            var at = broken.LineNumber is { } line ? $", line {line + 1}" : "";
            throw new LabException($"{path}{at}: no CNI configuration: this is not JSON, or a key is twice in one object", broken);
        }
        catch (Exception fault) when (fault is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{path}: no CNI configuration: {fault.Message}", fault);
        }
    }

    /// <exception cref="FormatException">Something is missing or of another kind.</exception>
    /// <exception cref="JsonException">It is no JSON, or a key is there twice.</exception>
    internal static NetworkConfiguration Parse(string text)
    {
        var root = CniText.Parse(Encoding.UTF8.GetBytes(text)) as JsonObject ?? throw new FormatException("it is not an object");
        var name = TextOf(root, "name") ?? throw new FormatException("name is missing");
        if (!CniIdentifier.IsValid(name))
        {
            throw new FormatException($"the name '{name}' is not letters, digits, '_', '.' and '-'");
        }
        if (root["plugins"] is { } list && list is not JsonArray)
        {
            throw new FormatException("plugins is not a list");
        }
        var plugins = root["plugins"] is JsonArray many ? many.Select(PluginConfiguration.Of).ToList() : [PluginConfiguration.Of(root)];
        if (plugins.Count == 0)
        {
            throw new FormatException("plugins is empty");
        }
        return new NetworkConfiguration(name, VersionOf(root), IsTrue(root, "disableCheck"), IsTrue(root, "disableGC"), plugins) { Text = text };
    }

    private static bool IsTrue(JsonObject root, string name) => root[name] is JsonValue value && value.ToString() == "true";

    // "Runtimes MUST select the highest supported version from the set of network configuration versions".
    private static string VersionOf(JsonObject root)
    {
        var listed = (root["cniVersions"] as JsonArray ?? []).Select(static one => one?.ToString() ?? "").Append(TextOf(root, "cniVersion") ?? "0.1.0").ToList();
        return CniVersion.Supported.LastOrDefault(listed.Contains)
            ?? throw new FormatException($"cniVersion {string.Join(", ", listed)} is not spoken here; spoken are {string.Join(", ", CniVersion.Supported)}");
    }

    internal static string? TextOf(JsonObject of, string name) => of[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) && text.Length != 0 => text,
        _ => throw new FormatException($"{name} is not a text"),
    };
}

/// <summary>One plugin of a network.</summary>
/// <param name="Type">Name of its executable.</param>
/// <param name="Content">As somebody wrote it; belongs to this object and is not changed.</param>
public sealed record PluginConfiguration(string Type, JsonObject Content)
{
    internal static PluginConfiguration Of(JsonNode? item)
    {
        var content = item as JsonObject ?? throw new FormatException("a plugin is not an object");
        var type = NetworkConfiguration.TextOf(content, "type") ?? throw new FormatException("a plugin has no type");
        return type.Contains('/', StringComparison.Ordinal) || type is "." or ".."
            ? throw new FormatException($"type '{type}' cannot be the name of a file")
            : new PluginConfiguration(type, content);
    }

    /// <summary>It declares a capability.</summary>
    internal bool Takes(string capability) => Content["capabilities"]?[capability]?.ToString() == "true";

    /// <summary>What the plugin reads: its own part with what the specification's section 3 inserts and removes.</summary>
    /// <param name="previous">What the plugins before it, or all of them, came to; null: nothing, or it is the first of an ADD.</param>
    internal byte[] Request(NetworkConfiguration network, PodAttachment pod, JsonNode? previous)
    {
        var request = Base(network);
        if (pod.CapabilityArguments(Takes) is { Count: > 0 } arguments)
        {
            request["runtimeConfig"] = arguments;
        }
        if (previous is not null)
        {
            request["prevResult"] = previous.DeepClone();
        }
        return CniText.Of(request);
    }

    /// <summary>The same for a verb that is of no pod.</summary>
    /// <param name="valid">For GC: what the runtime still knows.</param>
    internal byte[] Request(NetworkConfiguration network, IReadOnlyList<CniAttachment>? valid)
    {
        var request = Base(network);
        if (valid is not null)
        {
            request["cni.dev/valid-attachments"] = new JsonArray([.. valid.Select(static one => (JsonNode)new JsonObject { ["containerID"] = one.ContainerId, ["ifname"] = one.Interface })]);
        }
        return CniText.Of(request);
    }

    private JsonObject Base(NetworkConfiguration network)
    {
        var request = new JsonObject { ["cniVersion"] = network.Version, ["name"] = network.Name };
        foreach (var (name, value) in Content)
        {
            if (name is not ("cniVersion" or "cniVersions" or "name" or "plugins" or "capabilities" or "disableCheck" or "disableGC" or "runtimeConfig" or "prevResult")
                && !name.StartsWith("cni.dev/", StringComparison.Ordinal))
            {
                request[name] = value?.DeepClone();
            }
        }
        return request;
    }
}
