using System.Net;
using Plumb.Agent;
using Plumb.Api;
using Plumb.Dns.Forwarding;
using Plumb.Kubernetes.Clients;
using Plumb.Lab.Cni;
using Plumb.Lab.Rootless;
using Plumb.Lab.Running;
using Plumb.Lab.Wire;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab.Agents;

/// <summary>Starts nodes' agents, all in this process or each in its own.</summary>
internal sealed class AgentFactory(
    LabOptions options, KubernetesClient client, RunPaths lab, Task<ApiServer> api, ApiDoor door, ValueList<IpAddress> dns, LabLog log, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly NetworkOptions _cluster = new()
    {
        Overlay = options.Overlay,
        Services = options.Services,
        ClusterRanges = options.PodRanges,
        ServiceRanges = options.ServiceRanges,
        DnsServers = dns,
    };
    /// <summary>Whom the host's processes ask for names of the world.</summary>
    public ForwardOptions Forward { get; } = new() { Upstreams = Upstreams(options, dns) };

    /// <summary>Path of the kubeconfig of agents that are processes: the API as seen from the wire.</summary>
    private string WireKubeconfig => Path.Combine(lab.Directory, "kubeconfig.wire");

    public async Task<INodeAgent> StartAsync(string node, NetworkNamespace network, IpAddress address, CancellationToken cancel)
    {
        var paths = new NodePaths(lab, node);
        if (options.AgentProcesses)
        {
            return StartProcess(node, network, paths, await api.WaitAsync(cancel));
        }
        return await AgentInProcess.StartAsync(
            node,
            options.Services,
            (services, token) => NodeAgent.StartAsync(
                new NodeAgentOptions
                {
                    NodeName = node,
                    Network = network,
                    StateDirectory = paths.AgentState,
                    SocketPath = paths.CniSocket,
                    CniConfigurationDirectory = options.CniConfigurations is null ? paths.CniConfiguration : null,
                    CniPlugin = AgentPlugin.Type,
                    Cluster = _cluster with { Services = services },
                    NodeAddress = address,
                    Api = client,
                    Forward = Forward,
                    Random = Random.Shared,
                    Log = log.CreateLogger(node),
                    Time = time,
                },
                token),
            log,
            time,
            cancel);
    }

    private AgentProcess StartProcess(string node, NetworkNamespace network, NodePaths paths, ApiServer server)
    {
        lock (_gate)
        {
            if (!File.Exists(WireKubeconfig))
            {
                RunDirectory.WriteFile(WireKubeconfig, server.Kubeconfig("plumb", door.EndPoint));
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
            paths.CniSocket,
            [
                .. ThisProgram.CommandLine, "agent",
                "--node", node,
                "--state-dir", paths.AgentState,
                "--socket", paths.CniSocket,
                "--cni-conf-dir", options.CniConfigurations is null ? paths.CniConfiguration : "none",
                "--cni-plugin", AgentPlugin.Type,
                "--overlay", options.Overlay.ToString().ToLowerInvariant(),
                AgentProcess.ServicesOption, options.Services.ToString().ToLowerInvariant(),
                "--pod-cidr", string.Join(',', options.PodRanges),
                "--service-cidr", string.Join(',', options.ServiceRanges),
                "--cluster-dns", string.Join(',', dns),
                // From inside a node nobody outside can be reached but the wire, which asks on.
                "--dns-upstream", Forward.Upstreams.Count == 0 ? "none" : door.EndPoint.Address.ToString(),
            ],
            environment,
            log,
            time);
    }

    private static IReadOnlyList<IPEndPoint> Upstreams(LabOptions options, ValueList<IpAddress> own)
    {
        const string hosts = "/etc/resolv.conf";
        if (options.DnsUpstreams is null)
        {
            return File.Exists(hosts) ? ForwardOptions.Servers(File.ReadAllText(hosts), [.. own.Select(static address => address.ToIPAddress())]) : [];
        }
        return [.. options.DnsUpstreams.Select(static text => ForwardOptions.Server(text) ?? throw new LabException($"'{text}' is no DNS server: ADDRESS or ADDRESS:PORT"))];
    }
}
