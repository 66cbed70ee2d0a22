using System.Text.Json;
using System.Text.Json.Serialization;
using Plumb.Linux.State;

namespace Plumb.Agent.Storage;

/// <summary>
/// What the node's kernel parameters were before the agent set them: they have no owner and cannot be removed, so whoever takes Plumb off the node
/// must know what to put back.
/// </summary>
/// <remarks>
/// On disk before the kernel has the new value. Of this boot only: the next one sets all of them anew. Containers' parameters end with the container.
/// </remarks>
internal sealed class FormerParameters
{
    public const string FileName = "parameters.json";

    private readonly string _path;
    private readonly string _bootId;
    private readonly AgentFiles _files;
    private readonly SortedDictionary<string, FormerParameter> _parameters;

    private FormerParameters(string path, string bootId, AgentFiles files, SortedDictionary<string, FormerParameter> parameters)
    {
        _path = path;
        _bootId = bootId;
        _files = files;
        _parameters = parameters;
    }

    /// <summary>By path below <c>/proc/sys</c>.</summary>
    public IReadOnlyDictionary<string, FormerParameter> All => _parameters;

    /// <param name="directory">The agent's state directory.</param>
    /// <param name="bootId"><c>/proc/sys/kernel/random/boot_id</c></param>
    public static FormerParameters Open(string directory, string bootId, AgentFiles files)
    {
        var path = Path.Combine(directory, FileName);
        var known = Read(path) is { } file && file.BootId == bootId ? file.Parameters : [];
        return new FormerParameters(path, bootId, files, new SortedDictionary<string, FormerParameter>(known, StringComparer.Ordinal));
    }

    /// <summary>Called before the parameters of a namespace are set.</summary>
    /// <param name="home">The node's namespace; what is set in others is not remembered.</param>
    /// <param name="read">What a parameter is now; null: there is none.</param>
    public void Remember(IReadOnlyList<DeltaItem> items, NamespaceId home, Func<EntryKey, string?> read)
    {
        var changed = false;
        foreach (var item in items)
        {
            if (item.Want?.Entry is not SysctlEntry want || want.Namespace != home)
            {
                continue;
            }
            if (_parameters.TryGetValue(want.Path, out var known))
            {
                changed |= known.Set != want.Value;
                _parameters[want.Path] = known with { Set = want.Value };
            }
            else if (((item.Was as SysctlEntry)?.Value ?? read(want.Key)) is { } was)
            {
                changed = true;
                _parameters[want.Path] = new FormerParameter(was, want.Value);
            }
        }
        if (changed)
        {
            _files.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(new FormerParametersFile(_bootId, new(_parameters)), FormerParametersJson.Default.FormerParametersFile));
        }
    }

    private static FormerParametersFile? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), FormerParametersJson.Default.FormerParametersFile) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <param name="Was">As the kernel printed it before.</param>
/// <param name="Set">What the agent set last. When the kernel has another value, somebody else has taken the parameter over since.</param>
internal sealed record FormerParameter(string Was, string Set);

internal sealed record FormerParametersFile(string BootId, Dictionary<string, FormerParameter> Parameters);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FormerParametersFile))]
internal sealed partial class FormerParametersJson : JsonSerializerContext;
