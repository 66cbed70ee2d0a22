using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Kubernetes.Manifests;
using Plumb.Lab;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;
using Plumb.Output;
using Plumb.Planning;

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
        "text: each entry with its cause; ip: what ip and bridge would show; nft: what nft would show; json",
        Read.OneOf([("text", PlanFormat.Text), ("ip", PlanFormat.Ip), ("nft", PlanFormat.Nft), ("json", PlanFormat.Json)]),
        PlanFormat.Text,
        "text")
    {
        Offers = ["text", "ip", "nft", "json"],
    };

    public PlanCommand()
        : base("plan", "show what manifests would put into a node's kernel, and which object causes it")
    {
        foreach (var option in (Option[])[_cluster.Manifests, _node, _output, _cluster.Nodes, _cluster.Overlay, _cluster.NodeRange, _cluster.PodRange, _cluster.ServiceRange])
        {
            Options.Add(option);
        }
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb plan -f labs/first-packet --node node-1", "every entry with the object that causes it"),
        new("plumb plan -f app.yaml --node node-2 -o ip", "as ip and bridge would show it"),
        new("plumb plan -f app.yaml --overlay routed -o json", "for a program"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
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
        var options = new NetworkOptions
        {
            Overlay = lab.Overlay,
            ClusterRanges = [lab.PodRange],
            ServiceRanges = [lab.ServiceRange],
        };
        var machine = new AssumedMachine { WireLength = lab.NodeRange.Length };
        var result = PlanResult.Of(node, OfflinePlan.Make(objects, node, options, machine).Index);
        Print(result, invocation.Value(_output), invocation.Terminal);
        return Task.FromResult(result.Refusals.Count == 0 ? ExitCode.Done : ExitCode.Failed);
    }

    private static void Print(PlanResult result, PlanFormat format, Terminal terminal)
    {
        switch (format)
        {
            case PlanFormat.Json:
                terminal.Out.WriteLine(System.Text.Json.JsonSerializer.Serialize(result, ResultJson.Default.PlanResult));
                return;
            case PlanFormat.Ip:
                Write(result.Entries.Where(static e => !e.IsNftables), terminal, withCauses: false);
                break;
            case PlanFormat.Nft:
                Write(result.Entries.Where(static e => e.IsNftables), terminal, withCauses: false);
                break;
            default:
                Write(result.Entries, terminal, withCauses: true);
                break;
        }
        foreach (var refusal in result.Refusals)
        {
            terminal.Error.WriteLine(terminal.ErrorStyle.Bad($"not planned: {refusal}"));
        }
    }

    private static void Write(IEnumerable<PlannedEntry> entries, Terminal terminal, bool withCauses)
    {
        var to = terminal.Out;
        var place = "";
        foreach (var entry in entries)
        {
            if (entry.Namespace != place)
            {
                place = entry.Namespace;
                to.WriteLine(terminal.Style.Strong($"# {place}"));
            }
            if (withCauses)
            {
                to.WriteLine($"{entry.Text}  {terminal.Style.Quiet($"← {string.Join(", ", entry.Causes)}")}");
            }
            else
            {
                to.WriteLine(entry.Text);
            }
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

/// <param name="Refusals">What cannot be planned, each with the reason and what to do.</param>
internal sealed record PlanResult(string Node, IReadOnlyList<PlannedEntry> Entries, IReadOnlyList<string> Refusals)
{
    public static PlanResult Of(string node, DesiredIndex index) => new(
        node,
        [.. index.State.Entries.Values
            .OrderBy(static d => d.Entry.Key.Namespace.Name.Contains('/'))
            .ThenBy(static d => d.Entry.Key)
            .Select(d => new PlannedEntry(
                d.Entry.Namespace.Name, d.Entry.Kind.ToString().ToLowerInvariant(), d.Entry.Key.Name, d.Entry.Print(), [.. index.Why(d.Entry.Key).Select(static o => o.ToString())]))],
        [.. index.Refusals().Select(static r => r.ToString()), .. index.Conflicts().Select(static c => c.ToString()!)]);
}

/// <param name="Key">The kernel's own name for it; with namespace and kind, unique.</param>
/// <param name="Text">In the words of ip, bridge, sysctl or nft.</param>
internal sealed record PlannedEntry(string Namespace, string Kind, string Key, string Text, IReadOnlyList<string> Causes)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsNftables => Kind is "table" or "chain" or "set" or "element" or "object";
}
