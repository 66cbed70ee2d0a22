using Plumb.Agent.Cni;
using Plumb.Network.Facts;

namespace Plumb.Lab.Cni;

/// <summary>Calls plugins, whether they are in process or executed, and says which one failed.</summary>
internal sealed class PluginCalls(AgentPlugin agent, PluginRunner runner) : IDisposable
{
    public string PluginPath => runner.PluginPath;

    /// <param name="started">Called when the plugin may begin to work.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="CniException">It failed: it is named.</exception>
    public async Task<byte[]> CallAsync(
        string verb, NetworkConfiguration network, PluginConfiguration plugin, IReadOnlyDictionary<string, string> environment, byte[] input, Action started, CancellationToken cancel)
    {
        try
        {
            if (plugin.Type != AgentPlugin.Type)
            {
                return await runner.RunAsync(runner.Find(plugin.Type), environment, input, started, cancel);
            }
            started();
            return await agent.RunAsync(environment, input, cancel);
        }
        catch (CniException failure)
        {
            var what = verb switch { "ADD" => "add", "DEL" => "delete", _ => verb.ToLowerInvariant() };
            throw new CniException(failure.Code, $"plugin type=\"{plugin.Type}\" name=\"{network.Name}\" failed ({what}): {failure.Message}", failure.Details);
        }
    }

    public Task LimitAsync(CniAttachment attachment, Bandwidth bandwidth, CancellationToken cancel) => agent.LimitAsync(attachment, bandwidth, cancel);

    public void Dispose() => agent.Dispose();
}
