using Plumb.Agent.Cni;
using Plumb.Lab.Running;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Cni;

/// <summary>
/// The container runtime's side of CNI on one node: the configuration that somebody put into the node's directory, the first in the order of names, and
/// its plugins.
/// </summary>
/// <param name="configurationDirectory">The node's <c>/etc/cni/net.d</c>.</param>
internal sealed class CniClient(string configurationDirectory, AgentPlugin agent, PluginRunner runner) : IDisposable
{
    private NetworkConfiguration? _network;

    /// <summary>For a node of the lab.</summary>
    public static CniClient Of(NodePaths paths, NetworkNamespace network, TimeProvider time) =>
        new(paths.CniConfiguration, new AgentPlugin(paths.CniSocket), new PluginRunner(network, paths.PluginState, PluginRunner.DefaultPath(), time));

    /// <summary>Looks what is there now.</summary>
    /// <returns>Null: the node's network is ready; else why it is not, for people. Empty: there is no configuration.</returns>
    public string? Look()
    {
        try
        {
            var path = NetworkConfiguration.FindIn(configurationDirectory);
            _network = path is null ? null : NetworkConfiguration.Load(path);
            return path is null ? "" : null;
        }
        catch (LabException broken)
        {
            _network = null;
            return broken.Message;
        }
    }

    /// <summary>Of a pod to the network of now.</summary>
    /// <exception cref="CniException">There is none.</exception>
    public Attachment Attach(PodAttachment pod) => Volatile.Read(ref _network) is { } network
        ? new Attachment(network, pod, agent, runner)
        : throw new CniException(CniErrorCode.NotAvailable, "cni plugin not initialized");

    public void Dispose() => agent.Dispose();
}
