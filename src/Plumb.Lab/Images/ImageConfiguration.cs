using System.Text.Json;

namespace Plumb.Lab.Images;

/// <summary>What an image says of how it is run (`config` of OCI's image configuration, and of Docker's).</summary>
public sealed record ImageConfiguration
{
    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    /// <summary>What follows the entry point, unless the container says otherwise.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>`NAME=value`</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Empty: `/`.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>`user`, `uid`, `user:group`, `uid:gid`; empty: root.</summary>
    public string User { get; init; } = "";

    /// <summary>Of each layer's tar archive, the lowest first: `sha256:…`.</summary>
    public IReadOnlyList<string> LayerDigests { get; init; } = [];

    /// <exception cref="ImageException">It is no such document.</exception>
    public static ImageConfiguration Read(ReadOnlyMemory<byte> utf8, string where)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            var root = document.RootElement;
            var config = root.TryGetProperty("config", out var found) && found.ValueKind == JsonValueKind.Object ? found : default;
            return new ImageConfiguration
            {
                Entrypoint = Texts(config, "Entrypoint"),
                Command = Texts(config, "Cmd"),
                Environment = Texts(config, "Env"),
                WorkingDirectory = Text(config, "WorkingDir"),
                User = Text(config, "User"),
                LayerDigests = root.TryGetProperty("rootfs", out var layers) ? Texts(layers, "diff_ids") : [],
            };
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new ImageException($"{where}: the image's configuration is not what OCI says it is: {broken.Message}", broken);
        }
    }

    private static string[] Texts(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(static item => item.GetString() ?? "")]
            : [];

    private static string Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
