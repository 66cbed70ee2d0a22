using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.RealKernel;

/// <summary>Two machines on a wire, each a network namespace with an agent, and containers as bare namespaces.</summary>
internal sealed class Machines : IAsyncDisposable
{
    private readonly Kernels _builder = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-machines-").FullName;
    private readonly Dictionary<int, NodeAgent> _agents = [];
    private readonly Dictionary<string, NetworkNamespace> _containers = [];
    private readonly ConcurrentDictionary<string, JsonNode> _results = [];

    private Machines(OverlayKind overlay) => Cluster = new NetworkOptions { Overlay = overlay };

    public NetworkOptions Cluster { get; }

    public Dictionary<int, NetworkNamespace> Nodes { get; } = [];

    public RecordingLog Log { get; } = new();

    public static async Task<Machines> StartAsync(OverlayKind overlay)
    {
        var machines = WithoutAgents(overlay);
        await machines.StartAgentAsync(1);
        await machines.StartAgentAsync(2);
        return machines;
    }

    /// <summary>The wire and nothing else.</summary>
    public static Machines WithoutAgents(OverlayKind overlay)
    {
        var machines = new Machines(overlay);
        machines.BuildWire();
        return machines;
    }

    public async Task StartAgentAsync(int node, IWriteSeam? writes = null)
    {
        var options = Options(node);
        var seam = writes ?? IWriteSeam.None;
        var agent = await NodeAgent.StartAsync(options, NodeAgent.OpenKernel(options, seam), seam, TestContext.Current.CancellationToken);
        _agents[node] = agent;
        await agent.Ready;
    }

    /// <summary>What a node's agent is started with.</summary>
    public NodeAgentOptions Options(int node)
    {
        var state = Path.Combine(_directory, $"node-{node}");
        Directory.CreateDirectory(state);
        return new NodeAgentOptions
        {
            NodeName = $"node-{node}",
            Network = Nodes[node],
            StateDirectory = state,
            SocketPath = Path.Combine(_directory, $"{node}.sock"),
            CniConfigurationDirectory = Path.Combine(_directory, $"net.d-{node}"),
            Cluster = Cluster,
            Log = Log,
            Nodes = [TestNode.Node(1, "10.244.1.0/24"), TestNode.Node(2, "10.244.2.0/24")],
        };
    }

    public async Task StopAgentAsync(int node)
    {
        if (_agents.Remove(node, out var agent))
        {
            await agent.DisposeAsync();
        }
    }

    /// <summary>A new container's namespace, with nothing in it.</summary>
    public NetworkNamespace MakeContainer(string container) => _containers[container] = NetworkNamespace.Create();

    /// <summary>Asks an agent that may not live to answer.</summary>
    /// <param name="address">The one that a container asks for; null: any.</param>
    public async Task<bool> TryAsync(int node, string verb, string container, string? address = null) => (await AnswerAsync(node, verb, container, address)).Succeeded;

    /// <summary>A new container's namespace, connected; with its address.</summary>
    public async Task<(NetworkNamespace Inside, IPAddress Address)> AddAsync(int node, string container)
    {
        var inside = MakeContainer(container);
        var body = await CniAsync(node, "ADD", container);
        return (inside, IPAddress.Parse(((string)body!["ips"]![0]!["address"]!).Split('/')[0]));
    }

    /// <summary>Of a container that was made before.</summary>
    public Task<JsonNode?> ConnectAsync(int node, string container) => CniAsync(node, "ADD", container);

    public Task<JsonNode?> DeleteAsync(int node, string container) => CniAsync(node, "DEL", container);

    public Task<JsonNode?> CheckAsync(int node, string container) => CniAsync(node, "CHECK", container);

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents.Values)
        {
            await agent.DisposeAsync();
        }
        foreach (var container in _containers.Values)
        {
            container.Dispose();
        }
        foreach (var node in Nodes.Values)
        {
            node.Dispose();
        }
        _builder.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<JsonNode?> CniAsync(int node, string verb, string container)
    {
        var (succeeded, body) = await AnswerAsync(node, verb, container);
        Assert.True(succeeded, body?.ToJsonString());
        return body;
    }

    private async Task<(bool Succeeded, JsonNode? Body)> AnswerAsync(int node, string verb, string container, string? address = null)
    {
        var configuration = new JsonObject { ["cniVersion"] = "1.1.0", ["name"] = "plumb", ["prevResult"] = verb == "ADD" ? null : _results.GetValueOrDefault(container)?.DeepClone() };
        if (address is not null)
        {
            configuration["runtimeConfig"] = new JsonObject { ["ips"] = new JsonArray(address) };
        }
        var call = new CniCall(
            new Dictionary<string, string>
            {
                ["CNI_COMMAND"] = verb,
                ["CNI_CONTAINERID"] = container,
                ["CNI_IFNAME"] = "eth0",
                ["CNI_NETNS"] = _containers[container].ProcPath,
                ["CNI_ARGS"] = $"K8S_POD_NAMESPACE=default;K8S_POD_NAME={container}",
            },
            Encoding.UTF8.GetBytes(configuration.ToJsonString()));
        var answer = await _agents[node].Cni.AnswerAsync(call.ToBytes(), TestContext.Current.CancellationToken);
        var body = answer.Body.Length == 0 ? null : JsonNode.Parse(answer.Body);
        if (verb == "ADD" && answer.Succeeded)
        {
            _results[container] = body!;
        }
        return (answer.Succeeded, body);
    }

    private void BuildWire()
    {
        var desired = new List<DeltaItem>();
        foreach (var number in new[] { 1, 2 })
        {
            var (id, other) = (new NamespaceId($"node-{number}"), new NamespaceId($"node-{3 - number}"));
            Nodes[number] = NetworkNamespace.Create();
            _builder.Add(id, NetworkNamespace.Open(Nodes[number].ProcPath));
            Want(new LinkEntry(id, "lo", new LinkType.Loopback()) { Up = true });
            Want(new LinkEntry(id, "eth0", new LinkType.Veth(other, "eth0")) { Up = true, MtuBytes = 1500 });
            Want(new AddressEntry(id, "eth0", new IpPrefix(IpAddress.V4(192, 168, 1, (byte)(10 + number)), 24)));
        }
        _builder.Apply(desired);

        void Want(Entry entry) => desired.Add(new DeltaItem(new Desired(entry), null));
    }
}
