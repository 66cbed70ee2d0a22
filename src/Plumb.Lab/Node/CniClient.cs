using System.Net;
using System.Text.Json;
using Plumb.Agent.Cni;
using Plumb.Lab.Running;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Node;

/// <summary>
/// The container runtime's side of CNI: reads the configuration that somebody put into the node's directory, as containerd would, and
/// calls the plugin through the socket on which the agent does the plugin's work.
/// </summary>
internal sealed class CniClient : IDisposable
{
    private const string InterfaceName = "eth0";

    private readonly string _configurationDirectory;
    private readonly HttpClient _http;
    private (string Path, JsonElement Plugin)? _configuration;

    /// <param name="configurationDirectory">The node's <c>/etc/cni/net.d</c>.</param>
    /// <param name="socketPath">Where the node's agent answers.</param>
    public CniClient(string configurationDirectory, string socketPath)
    {
        _configurationDirectory = configurationDirectory;
        _http = UnixHttp.ClientOf(socketPath);
    }

    /// <summary>Whether there is a configuration now: what makes the node's network ready.</summary>
    public bool IsConfigured()
    {
        var path = FindConfiguration();
        if (path is null)
        {
            _configuration = null;
            return false;
        }
        if (_configuration?.Path != path)
        {
            _configuration = ReadPlugin(path) is { } plugin ? (path, plugin) : null;
        }
        return _configuration is not null;
    }

    /// <summary>Gives the sandbox its interface and addresses.</summary>
    /// <returns>At least one, in the plugin's order: the first is the pod's main one.</returns>
    /// <exception cref="CniException">The plugin refused, or does not answer.</exception>
    public async Task<IReadOnlyList<IpAddress>> AddAsync(string sandbox, PodName pod, NetworkNamespace network, CancellationToken cancel)
    {
        using var answer = await CallAsync("ADD", sandbox, pod, network.ProcPath, cancel);
        var result = await ReadAsync(answer, CniJson.Default.CniResult, cancel);
        var addresses = new List<IpAddress>();
        foreach (var address in result?.Ips ?? [])
        {
            if (IpPrefix.TryParse(address.Address, out var prefix))
            {
                addresses.Add(prefix.Address);
            }
        }
        return addresses.Count > 0 ? addresses : throw new CniException(CniErrorCode.CannotDecode, "the plugin's result has no address");
    }

    /// <summary>Takes back what <see cref="AddAsync"/> gave; succeeds when nothing was.</summary>
    /// <exception cref="CniException">The plugin refused, or does not answer.</exception>
    public async Task DeleteAsync(string sandbox, PodName pod, NetworkNamespace network, CancellationToken cancel)
    {
        using var answer = await CallAsync("DEL", sandbox, pod, network.ProcPath, cancel);
    }

    public void Dispose() => _http.Dispose();

    // The first file in order of name wins, as in every runtime.
    private string? FindConfiguration()
    {
        string? first = null;
        foreach (var path in Directory.EnumerateFiles(_configurationDirectory))
        {
            if (Path.GetExtension(path) is ".conflist" or ".conf" && (first is null || string.CompareOrdinal(path, first) < 0))
            {
                first = path;
            }
        }
        return first;
    }

    /// <summary>What the plugin reads on its standard input: its own part of the list, with the list's name and version.</summary>
    private static JsonElement? ReadPlugin(string path)
    {
        try
        {
            using var list = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = list.RootElement;
            var plugin = root.TryGetProperty("plugins", out var plugins) ? plugins[0] : root;
            var buffer = new System.Buffers.ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartObject();
                json.WriteString("cniVersion"u8, root.GetProperty("cniVersion").GetString());
                json.WriteString("name"u8, root.GetProperty("name").GetString());
                foreach (var property in plugin.EnumerateObject())
                {
                    if (property.Name is not ("cniVersion" or "name"))
                    {
                        property.WriteTo(json);
                    }
                }
                json.WriteEndObject();
            }
            return JsonElement.Parse(buffer.WrittenSpan);
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException or IOException or IndexOutOfRangeException)
        {
            // Half written, or no configuration at all: as long as it stays so the node's network is not ready.
            return null;
        }
    }

    private async Task<HttpResponseMessage> CallAsync(string command, string sandbox, PodName pod, string namespacePath, CancellationToken cancel)
    {
        if (_configuration is not { } configuration)
        {
            throw new CniException(CniErrorCode.NotAvailable, "cni plugin not initialized");
        }
        var call = new CniCall(
            new Dictionary<string, string>
            {
                ["CNI_COMMAND"] = command,
                ["CNI_CONTAINERID"] = sandbox,
                ["CNI_NETNS"] = namespacePath,
                ["CNI_IFNAME"] = InterfaceName,
                ["CNI_ARGS"] = $"IgnoreUnknown=1;K8S_POD_NAMESPACE={pod.Namespace};K8S_POD_NAME={pod.Name};K8S_POD_INFRA_CONTAINER_ID={sandbox};K8S_POD_UID={pod.Uid}",
                ["CNI_PATH"] = "",
            },
            System.Text.Encoding.UTF8.GetBytes(configuration.Plugin.GetRawText()));
        using var body = new ByteArrayContent(call.ToBytes());
        HttpResponseMessage answer;
        try
        {
            answer = await _http.PostAsync(new Uri("cni", UriKind.Relative), body, cancel);
        }
        catch (HttpRequestException broken)
        {
            throw new CniException(CniErrorCode.NotAvailable, $"the node's agent does not answer: {broken.Message}");
        }
        if (answer.StatusCode == HttpStatusCode.OK)
        {
            return answer;
        }
        using (answer)
        {
            var error = await ReadAsync(answer, CniJson.Default.CniErrorBody, cancel);
            throw new CniException(
                (CniErrorCode)(error?.Code ?? (int)CniErrorCode.IoFailure),
                error is null ? $"the node's agent answered {(int)answer.StatusCode}" : error.Details is { Length: > 0 } ? $"{error.Msg}; {error.Details}" : error.Msg);
        }
    }

    private static async Task<T?> ReadAsync<T>(HttpResponseMessage answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancel)
    {
        try
        {
            return JsonSerializer.Deserialize(await answer.Content.ReadAsByteArrayAsync(cancel), type);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
