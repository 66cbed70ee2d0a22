using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;
using Plumb.Network.Facts;

namespace Plumb.Lab.Cni;

/// <summary>
/// One pod on one network (CNI 1.1.0, section 3): the list of plugins from first to last to add it, from last to first to take it away, always of the
/// configuration that it began with.
/// </summary>
internal sealed class Attachment(NetworkConfiguration network, PodAttachment pod, PluginCalls plugins, ResultCache results)
{
    private JsonNode? _result;
    private int _begun;

    /// <summary>As an earlier process of this node left it: all of its plugins may have done their part.</summary>
    /// <param name="result">What ADD came to.</param>
    public static Attachment Of(NetworkConfiguration network, PodAttachment pod, PluginCalls plugins, ResultCache results, JsonNode result) =>
        new(network, pod, plugins, results) { _result = result, _begun = network.Plugins.Count };

    public CniAttachment Id => new(pod.ContainerId, PodAttachment.InterfaceName);

    /// <summary>Gives the pod its interfaces.</summary>
    /// <returns>At least one address, in the plugin's order: the first is the pod's main one.</returns>
    /// <exception cref="CniException">A plugin failed: it is named. What was made is taken back by <see cref="DeleteAsync"/>, as after a success.</exception>
    public async Task<IReadOnlyList<IpAddress>> AddAsync(CancellationToken cancel)
    {
        JsonNode? result = null;
        foreach (var plugin in network.Plugins)
        {
            result = Read(network, plugin, await CallAsync("ADD", plugin, result, () => _begun++, cancel));
        }
        _result = result;
        var addresses = Addresses(result!);
        if (addresses.Count == 0)
        {
            throw new CniException(CniErrorCode.CannotDecode, $"the result of network \"{network.Name}\" has no address in the pod");
        }
        // Plumb's own needs neither: it keeps its leases itself, and what it tells is what it asked the kernel for.
        if (network.Plugins.Any(static plugin => plugin.Type != AgentPlugin.Type))
        {
            Keep(result!);
            await CheckAsync(cancel);
        }
        return addresses;
    }

    private void Keep(JsonNode result)
    {
        try
        {
            results.Write(network, pod, result);
        }
        catch (LabException full)
        {
            throw new CniException(CniErrorCode.IoFailure, $"the result of network \"{network.Name}\" cannot be kept: {full.Message}");
        }
    }

    /// <summary>Takes back what <see cref="AddAsync"/> gave, or half gave.</summary>
    /// <exception cref="CniException">A plugin failed.</exception>
    public async Task DeleteAsync(CancellationToken cancel)
    {
        // One that is not there, or comes behind one that failed, has begun nothing.
        for (var i = _begun - 1; i >= 0; i--)
        {
            await CallAsync("DEL", network.Plugins[i], _result, static () => { }, cancel);
        }
        results.Remove(network, pod);
    }

    /// <summary>Asks every plugin whether all is as it was made.</summary>
    /// <exception cref="CniException">It is not.</exception>
    public async Task CheckAsync(CancellationToken cancel)
    {
        if (network.DisableCheck || !network.Knows("CHECK"))
        {
            return;
        }
        foreach (var plugin in network.Plugins)
        {
            // portmap up to 1.1.1 looks for rules of both families if a port has no hostIP, and makes those of the pod's only. CRI-O never meets that: it serves such ports itself.
            if (plugin.Type != AgentPlugin.Type && pod.Ports.Count != 0 && plugin.Takes("portMappings"))
            {
                continue;
            }
            await CallAsync("CHECK", plugin, _result, static () => { }, cancel);
        }
    }

    /// <summary>Tells the plugin how fast the pod may be from now on; those of others hear of it at ADD alone.</summary>
    /// <exception cref="CniException">It cannot be: all is as it was.</exception>
    public Task LimitAsync(Bandwidth bandwidth, CancellationToken cancel) =>
        network.Plugins.Any(static plugin => plugin.Type == AgentPlugin.Type && plugin.Takes("bandwidth")) ? plugins.LimitAsync(Id, bandwidth, cancel) : Task.CompletedTask;

    private Task<byte[]> CallAsync(string verb, PluginConfiguration plugin, JsonNode? previous, Action started, CancellationToken cancel) =>
        plugins.CallAsync(verb, network, plugin, pod.Environment(verb, plugins.PluginPath), plugin.Request(network, pod, previous), started, cancel);

    private static JsonObject Read(NetworkConfiguration network, PluginConfiguration plugin, byte[] said)
    {
        try
        {
            return CniText.Parse(said) as JsonObject ?? throw new JsonException();
        }
        catch (JsonException)
        {
            var what = said.Length == 0 ? "it printed no result" : $"what it printed is no result of CNI: {PluginRunner.Cut(said)}";
            throw new CniException(CniErrorCode.CannotDecode, $"plugin type=\"{plugin.Type}\" name=\"{network.Name}\" failed (add): {what}");
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
