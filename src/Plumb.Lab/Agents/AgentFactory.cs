using Plumb.Api;
using Plumb.Lab.Rootless;
using Plumb.Lab.Running;
using Plumb.Lab.Wire;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Agents;

/// <summary>Starts nodes' agents, each in a process of its own.</summary>
internal sealed class AgentFactory(
    LabOptions options, RunPaths lab, ApiServer api, ApiDoor door, LabLog log, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>Path of the kubeconfig of agents that are processes: the API as seen from the wire.</summary>
    private string WireKubeconfig => Path.Combine(lab.Directory, "kubeconfig.wire");

    public Task<INodeAgent> StartAsync(string node, NetworkNamespace network)
    {
        var paths = new NodePaths(lab, node);
        return Task.FromResult<INodeAgent>(StartProcess(node, network, paths));
    }

    private AgentProcess StartProcess(string node, NetworkNamespace network, NodePaths paths)
    {
        lock (_gate)
        {
            if (!File.Exists(WireKubeconfig))
            {
                RunDirectory.WriteFile(WireKubeconfig, api.Kubeconfig("plumb", door.EndPoint));
            }
        }
        var environment = new Dictionary<string, string>();
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        }
        environment["KUBECONFIG"] = WireKubeconfig;
        return new AgentProcess(
            node,
            network,
            [
                .. ThisProgram.CommandLine, "agent",
                "--node", node,
                "--state-dir", paths.AgentState,
                "--socket", paths.CniSocket,
                "--cni-conf-dir", paths.CniConfiguration,
                "--overlay", options.Overlay.ToString().ToLowerInvariant(),
                "--pod-cidr", options.PodRange.ToString(),
                "--service-cidr", options.ServiceRange.ToString(),
            ],
            environment,
            log,
            time);
    }
}
