using System.CommandLine;
using System.Text;
using Plumb.CommandLine;
using Plumb.Kubernetes.Manifests;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;
using Plumb.Planning;
using Plumb.Scenes;

namespace Plumb.Commands;

/// <summary>`plumb plan`: what would be in a node's kernel, without touching one.</summary>
internal sealed class PlanCommand : Verb
{
    private readonly UpOptions _cluster = new();
    private readonly Option<string?> _node = new("--node") { HelpName = "NODE", Description = "whose kernel; the first node's if it is left out" };
    private readonly ValueOption<PlanFormat> _output = new(
        "--output",
        ["-o"],
        "FORMAT",
        "text: each entry with its cause; ip: the commands of ip, bridge, sysctl and iptables that make it; nft: what nft -f loads; json",
        Read.OneOf([("text", PlanFormat.Text), ("ip", PlanFormat.Ip), ("nft", PlanFormat.Nft), ("json", PlanFormat.Json)]),
        PlanFormat.Text,
        "text")
    {
        Offers = ["text", "ip", "nft", "json"],
    };

    private readonly SceneOptions _scene = new();

    public PlanCommand()
        : base("plan", "show what manifests would put into a node's kernel, and which object causes it")
    {
        foreach (var option in (Option[])[_cluster.Manifests, _node, _output, _cluster.Nodes, _cluster.Overlay, _cluster.Services, _cluster.IpFamilies, _cluster.NodeRanges, _cluster.PodRanges, _cluster.ServiceRanges])
        {
            Options.Add(option);
        }
        _scene.AddFromTo(this);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb plan -f labs/first-packet --node node-1", "every entry with the object that causes it"),
        new("plumb plan -f app.yaml --node node-2 -o ip", "as commands to be typed"),
        new("plumb plan -f app.yaml --overlay routed -o json", "for a program"),
        new("plumb plan --from net.plumb --node node-2", "as the agent of a node had it when a snapshot was taken"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var (index, node) = _scene.Snapshot(invocation) is { } scene ? await FromAsync(scene, invocation) : FromManifests(invocation);
        Print(index, node, invocation.Value(_output), invocation.Terminal.Out);
        return index.Refusals().Any() || index.Conflicts().Any() ? ExitCode.Failed : ExitCode.Done;
    }

    private async Task<(DesiredIndex Index, string Node)> FromAsync(IScene scene, Invocation invocation)
    {
        foreach (var option in (Option[])[_cluster.Manifests, _cluster.Nodes, _cluster.Overlay, _cluster.Services, _cluster.IpFamilies, _cluster.NodeRanges, _cluster.PodRanges, _cluster.ServiceRanges])
        {
            if (invocation.IsGiven(option))
            {
                throw new UsageException($"--from says what the cluster is, and {option.Name} as well: choose one (`plumb whatif --from` plans a change)");
            }
        }
        var node = scene.Parties.NodesNamed(invocation.Parsed.GetValue(_node))[0];
        var network = scene.Network ?? throw new LabException($"{scene.Title} does not say how its cluster's network was to be");
        var (cluster, _) = ClusterReading.Read(await scene.ObjectsAsync(CancellationToken.None).ToListAsync());
        return (ScenePlan.Make(scene, network, cluster, node).Index, node);
    }

    private (DesiredIndex Index, string Node) FromManifests(Invocation invocation)
    {
        var lab = _cluster.ToCluster(invocation);
        var manifests = new List<Manifest>();
        foreach (var path in invocation.Values(_cluster.Manifests))
        {
            using var standardInput = path == "-" ? Console.OpenStandardInput() : null;
            manifests.AddRange(ManifestReader.Read(path, standardInput));
        }
        var objects = new AssumedCluster(lab).Complete(manifests);
        var node = invocation.Parsed.GetValue(_node) ?? objects.First(static o => (string?)o["kind"] == "Node")["metadata"]!["name"]!.ToString();
        var options = new NetworkOptions { Overlay = lab.Overlay, Services = lab.Services, ClusterRanges = lab.PodRanges, ServiceRanges = lab.ServiceRanges };
        return (OfflinePlan.Make(objects, node, options, MachineOf(lab)).Index, node);
    }

    private static AssumedMachine MachineOf(LabOptions lab)
    {
        var machine = new AssumedMachine();
        foreach (var range in lab.NodeRanges)
        {
            machine = range.Family == IpFamily.V4 ? machine with { WireLength = range.Length } : machine with { WireLength6 = range.Length };
        }
        return machine;
    }

    private static void Print(DesiredIndex index, string node, PlanFormat format, TextWriter to)
    {
        switch (format)
        {
            case PlanFormat.Json:
                to.WriteLine(Encoding.UTF8.GetString(PlanExcerpt.Of(index).ToDocument(node).ToJson()));
                break;
            case PlanFormat.Ip:
                to.Write(CommandText.Print(index, new NamespaceId(node)));
                break;
            case PlanFormat.Nft:
                if (index.State.Entries.Keys.Any(static key => IptablesKernel.Handles(key.Kind)))
                {
                    to.WriteLine("# Services are in chains of iptables, which nft does not load: -o ip prints the commands that make them");
                }
                to.Write(RulesetText.Print(index.State.Entries.Values.OrderBy(static d => d.Entry.Key)));
                break;
            default:
                to.Write(PlanText.Dump(index));
                break;
        }
    }
}

internal enum PlanFormat
{
    Text,
    Ip,
    Nft,
    Json,
}
