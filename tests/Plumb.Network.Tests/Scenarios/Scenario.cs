using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Manifests;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Network.Tests.Scenarios;

/// <summary>
/// A folder of <c>testdata</c>: its name is a sentence, <c>input.yaml</c> holds objects and one document of kind Scenario with options and the wire,
/// <c>expected.txt</c> what is planned from them.
/// </summary>
internal sealed class Scenario
{
    private readonly IReadOnlyList<JsonNode> _objects;
    private readonly Func<Entry, bool>? _shows;

    private Scenario(string name, IReadOnlyList<JsonNode> objects, JsonObject settings)
    {
        Name = name;
        _objects = objects;
        Options = ReadOptions(settings);
        Machine = ReadMachine(settings["wire"] as JsonObject ?? []);
        _shows = (string?)settings["shows"] switch { null => null, "services" => IsOfServices, "iptables" => IsOfIptables, var other => throw new FormatException($"shows {other}") };
        Nodes = Texts(settings["nodes"]) is { Count: > 0 } named ? named : ["node-1"];
    }

    public static string Folder { get; } = FindFolder();

    /// <summary>Every folder; there is no list to forget one in.</summary>
    public static IEnumerable<string> Names =>
        Directory.EnumerateDirectories(Folder).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    public string Name { get; }

    public NetworkOptions Options { get; }

    public AssumedMachine Machine { get; }

    /// <summary>Whose kernels are planned.</summary>
    public IReadOnlyList<string> Nodes { get; }

    public string ExpectedPath => Path.Combine(Folder, Name, "expected.txt");

    public static Scenario Read(string name)
    {
        var manifests = ManifestReader.Read(Path.Combine(Folder, name, "input.yaml"));
        var settings = manifests.Where(static manifest => manifest.Kind.Kind == "Scenario").Select(static manifest => manifest.Object).SingleOrDefault();
        return new Scenario(name, [.. manifests.Where(static manifest => manifest.Kind.Kind != "Scenario").Select(static manifest => manifest.Object)], settings ?? []);
    }

    public Planner Plan(string node) => OfflinePlan.Make(_objects, node, Options, Machine);

    /// <summary>What stands in <c>expected.txt</c>.</summary>
    public string Print()
    {
        var text = new StringBuilder();
        foreach (var node in Nodes)
        {
            text.Append(text.Length == 0 ? "" : "\n").Append("== plan of ").Append(node).Append(" ==\n");
            try
            {
                text.Append(PlanText.Dump(Plan(node).Index, _shows));
            }
            catch (PlanInputException exception)
            {
                text.Append("no plan: ").Append(exception.Message).Append('\n');
            }
        }
        return text.ToString();
    }

    // What Services put in, without the program that is always the same.
    private static bool IsOfServices(Entry entry) => entry switch
    {
        ElementEntry element => element.Set.Name is not ("inside" or "node_addresses" or "local_pods" or "service_range" or "nodeport_addresses"),
        ChainEntry chain => chain.Name.StartsWith("fanout-", StringComparison.Ordinal) || chain.Name.StartsWith("stick", StringComparison.Ordinal),
        _ => false,
    };

    private static bool IsOfIptables(Entry entry) => entry is IptablesChainEntry or IptablesRuleEntry;

    private static NetworkOptions ReadOptions(JsonObject settings)
    {
        var options = NetworkOptions.Default;
        return options with
        {
            Overlay = (string?)settings["overlay"] switch { null or "vxlan" => OverlayKind.Vxlan, "routed" => OverlayKind.Routed, var other => throw new FormatException($"overlay {other}") },
            // The program of Services is long: only scenarios that are about Services show it.
            Services = (string?)settings["services"] switch { null or "none" => ServicesKind.None, "nftables" => ServicesKind.Nftables, "iptables" => ServicesKind.Iptables, var other => throw new FormatException($"services {other}") },
            ClusterRanges = Ranges(settings["clusterRanges"]) ?? options.ClusterRanges,
            ServiceRanges = Ranges(settings["serviceRanges"]) ?? options.ServiceRanges,
            DnsServers = [.. Texts(settings["dnsServers"]).Select(static text => IpAddress.Parse(text))],
            PodMtuBytes = Number(settings["podMtuBytes"]),
        };
    }

    private static AssumedMachine ReadMachine(JsonObject wire)
    {
        var assumed = new AssumedMachine();
        return assumed with
        {
            MtuBytes = Number(wire["mtuBytes"]) ?? assumed.MtuBytes,
            Routers = [.. Texts(wire["routers"]).Select(static text => IpAddress.Parse(text))],
        };
    }

    private static ValueList<IpPrefix>? Ranges(JsonNode? list) =>
        list is null ? null : [.. Texts(list).Select(static text => IpPrefix.Parse(text))];

    // YAML's numbers are long.
    private static int? Number(JsonNode? number) => number is null ? null : checked((int)number.GetValue<long>());

    private static List<string> Texts(JsonNode? list) => [.. (list as JsonArray ?? []).Select(static item => (string)item!)];

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Plumb.slnx")))
            {
                return Path.Combine(folder.FullName, "tests", "Plumb.Network.Tests", "testdata");
            }
        }
        throw new InvalidOperationException($"no Plumb.slnx above {AppContext.BaseDirectory}");
    }
}
