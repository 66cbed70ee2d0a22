using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Cni;

/// <summary>
/// One pod on one network (CNI 1.1.0, section 3): the list of plugins from first to last to add it, from last to first to take it away, always of the
/// configuration that it began with.
/// </summary>
/// <remarks>The result of ADD, which the specification wants kept, is kept here: a pod's sandbox lives no longer than this process.</remarks>
internal sealed class Attachment(NetworkConfiguration network, PodAttachment pod, AgentPlugin agent, PluginRunner runner)
{
    private JsonNode? _result;
    private int _begun;

    /// <summary>Gives the pod its interfaces.</summary>
    /// <returns>At least one address, in the plugin's order: the first is the pod's main one.</returns>
    /// <exception cref="CniException">A plugin failed: it is named. What was made is taken back by <see cref="DeleteAsync"/>, as after a success.</exception>
    public async Task<IReadOnlyList<IpAddress>> AddAsync(CancellationToken cancel)
    {
        JsonNode? result = null;
        foreach (var plugin in network.Plugins)
        {
            result = await CallAsync("ADD", plugin, result, cancel);
        }
        _result = result;
        var addresses = Addresses(result!);
        return addresses.Count != 0
            ? addresses
            : throw new CniException(CniErrorCode.CannotDecode, $"the result of network \"{network.Name}\" has no address in the pod");
    }

    /// <summary>Takes back what <see cref="AddAsync"/> gave, or half gave.</summary>
    /// <exception cref="CniException">A plugin failed.</exception>
    public async Task DeleteAsync(CancellationToken cancel)
    {
        // One that is not there, or comes behind one that failed, has begun nothing.
        for (var i = _begun - 1; i >= 0; i--)
        {
            await CallAsync("DEL", network.Plugins[i], _result, cancel);
        }
    }

    /// <summary>Asks every plugin whether all is as it was made.</summary>
    /// <exception cref="CniException">It is not.</exception>
    public async Task CheckAsync(CancellationToken cancel)
    {
        // Which came with 0.4.0.
        if (network.DisableCheck || network.Version == CniVersion.Supported[0])
        {
            return;
        }
        foreach (var plugin in network.Plugins)
        {
            await CallAsync("CHECK", plugin, _result, cancel);
        }
    }

    private async Task<JsonNode?> CallAsync(string verb, PluginConfiguration plugin, JsonNode? previous, CancellationToken cancel)
    {
        try
        {
            var environment = pod.Environment(verb, runner.PluginPath);
            var input = plugin.Request(network, pod, previous);
            var program = plugin.Type == AgentPlugin.Type ? null : runner.Find(plugin.Type);
            _begun += verb == "ADD" ? 1 : 0;
            var said = program is null ? await agent.RunAsync(environment, input, cancel) : await runner.RunAsync(program, environment, input, cancel);
            return verb == "ADD" ? Read(said) : null;
        }
        catch (CniException failure)
        {
            var what = verb switch { "ADD" => "add", "DEL" => "delete", _ => "check" };
            throw new CniException(failure.Code, $"plugin type=\"{plugin.Type}\" name=\"{network.Name}\" failed ({what}): {failure.Message}", failure.Details);
        }
    }

    private static JsonObject Read(byte[] said)
    {
        try
        {
            return JsonNode.Parse(said) as JsonObject ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new CniException(CniErrorCode.CannotDecode, said.Length == 0 ? "it printed no result" : $"what it printed is no result of CNI: {PluginRunner.Cut(said)}");
        }
    }

    // Those of interfaces inside of the pod: a plugin may tell of others, on the node.
    private static List<IpAddress> Addresses(JsonNode result)
    {
        var interfaces = (result as JsonObject)?["interfaces"] as JsonArray ?? [];
        var addresses = new List<IpAddress>();
        foreach (var item in ((result as JsonObject)?["ips"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var isInside = item["interface"] is not JsonValue index
                || !index.TryGetValue<int>(out var number)
                || (number >= 0 && number < interfaces.Count && (interfaces[number] as JsonObject)?["sandbox"]?.ToString() is { Length: > 0 });
            if (isInside && IpPrefix.TryParse(item["address"]?.ToString(), out var prefix))
            {
                addresses.Add(prefix.Address);
            }
        }
        return addresses;
    }
}
