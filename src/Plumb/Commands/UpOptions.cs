using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Diagnosis.Snapshots;
using Plumb.Dns.Forwarding;
using Plumb.Lab;
using Plumb.Lab.Images;
using Plumb.Lab.Cni;
using Plumb.Lab.Wire;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Commands;

/// <summary>The options of `plumb up`, and the lab that they ask for.</summary>
internal sealed class UpOptions
{
    private static readonly LabOptions Default = new();

    /// <summary>The words of <c>--services</c>.</summary>
    public static Func<string, Parsed<ServicesKind>> Kinds { get; } = Read.OneOf(
        [("nftables", ServicesKind.Nftables), ("iptables", ServicesKind.Iptables), ("none", ServicesKind.None)], ["ebpf", "ipvs"]);

    public ListOption Manifests { get; } = ListOption.Manifests();

    public ValueOption<int> Nodes { get; } = new(
        "--nodes", [], "N", $"how many nodes, 1 to {LabOptions.MaxNodes}", Read.Number(1, LabOptions.MaxNodes), Default.Nodes, $"{Default.Nodes}");

    public Option<string?> From { get; } = new("--from") { HelpName = "FILE", Description = "make a lab of a snapshot: its nodes, ranges, overlay and Services, and the objects that people made" };

    public ValueOption<LabName?> Name { get; } = CommonOptions.Name();

    public ValueOption<OverlayKind> Overlay { get; } = new(
        "--overlay",
        [],
        "KIND",
        "how packets cross nodes: vxlan, or routed (plain routes, nodes on one wire)",
        Read.OneOf([("vxlan", OverlayKind.Vxlan), ("routed", OverlayKind.Routed)], ["ipip", "udp", "wireguard", "bgp"]),
        Default.Overlay,
        "vxlan")
    {
        Offers = ["vxlan", "routed"],
    };

    public ValueOption<string> Ipam { get; } = Only("--ipam", "how pods get addresses: a static range for each node", "host-local", ["blocks"]);

    public ValueOption<ServicesKind> Services { get; } = new(
        "--services",
        [],
        "KIND",
        "what serves ClusterIPs: nftables, iptables (the chains of kube-proxy), or none (the cluster has a proxy of its own)",
        Kinds,
        Default.Services,
        "nftables")
    {
        Offers = ["nftables", "iptables", "none"],
    };

    public ValueOption<IpFamilies> IpFamilies { get; } = new(
        "--ip-family",
        [],
        "KIND",
        "which addresses nodes, pods and services have: ipv4, ipv6, or dual (both)",
        Read.OneOf([("ipv4", Lab.IpFamilies.IPv4), ("dual", Lab.IpFamilies.Dual), ("ipv6", Lab.IpFamilies.IPv6)]),
        Lab.IpFamilies.IPv4,
        "ipv4")
    {
        Offers = ["ipv4", "dual", "ipv6"],
    };

    public ValueOption<ValueList<IpPrefix>> NodeRanges { get; } = RangeOf(DefaultRanges.Nodes, [], "the nodes' wire");

    public ValueOption<ValueList<IpPrefix>> PodRanges { get; } = RangeOf(DefaultRanges.Pods, ["--cluster-cidr"], "pods; each node has a /24 or a /64 of it");

    public ValueOption<ValueList<IpPrefix>> ServiceRanges { get; } = RangeOf(DefaultRanges.Services, [], "services");

    public ListOption DnsUpstreams { get; } = new(
        "--dns-upstream", [], "ADDRESS[:PORT]", "who is asked for names outside of the cluster, or none; the host's resolv.conf says it if it is left out",
        static text => text == "none" || ForwardOptions.Server(text) is not null ? null : $"'{text}' is no address such as 192.0.2.53 or 192.0.2.53:5353, nor none");

    public ListOption CniConfigurations { get; } = new(
        "--cni-conf", [], "FILE", "wire pods with other CNI plugins: a configuration that every node gets, with {{.PodCIDR}} for its range; may be given several times; none: nodes stay NotReady", CheckCni);

    public ValueOption<int> ApiPort { get; } = new("--api-port", [], "PORT", "where the API listens on 127.0.0.1", Read.Number(0, 65535), 0, "any that is free");

    public ListOption Images { get; } = new(
        "--image", [], "NAME=PATH", "run containers of an image from a root file system, an OCI layout, or an archive of one or of `docker save`; may be given several times", CheckImage);

    public Flag AgentProcesses { get; } = new("--agent-processes", "each node's agent is a process of its own that speaks HTTPS to the API");

    public Flag Detach { get; } = new("--detach", "return when the lab is ready and leave it running", "-d");

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])
            [Manifests, From, Nodes, Name, Overlay, Ipam, Services, IpFamilies, NodeRanges, PodRanges, ServiceRanges, DnsUpstreams, CniConfigurations, ApiPort, Images, AgentProcesses, Detach])
        {
            command.Options.Add(option);
        }
    }

    /// <exception cref="UsageException">Options that do not go together.</exception>
    public LabOptions ToLab(Invocation invocation)
    {
        var command = invocation.Tail ?? [];
        if (command.Count > 0 && invocation.IsOn(Detach))
        {
            throw new UsageException("--detach leaves the lab running and `-- COMMAND` takes it down: choose one");
        }
        var manifests = invocation.Values(Manifests);
        if (manifests.Count(static m => m == "-") > 1)
        {
            throw new UsageException("--file: standard input (-) can be read once only");
        }
        return ToCluster(invocation) with
        {
            Name = invocation.Lab(Name),
            ApiPort = invocation.Value(ApiPort),
            DnsUpstreams = UpstreamsOf(invocation),
            Manifests = [.. manifests.Select(static m => m == "-" ? m : Path.GetFullPath(m))],
            From = invocation.Parsed.GetValue(From) is { } snapshot ? Path.GetFullPath(snapshot) : null,
            CniConfigurations = invocation.Values(CniConfigurations) is { Length: > 0 } files ? [.. files.Where(static file => file != "none").Select(Path.GetFullPath)] : null,
            Images = ImagesOf(invocation),
            AgentProcesses = invocation.IsOn(AgentProcesses),
            WaitForPods = manifests.Length > 0 || invocation.Parsed.GetValue(From) is not null,
            Command = command,
        };
    }

    /// <summary>Null: not said.</summary>
    public IReadOnlyList<string>? UpstreamsOf(Invocation invocation) =>
        invocation.Values(DnsUpstreams) is { Length: > 0 } written ? [.. written.Where(static text => text != "none")] : null;

    /// <summary>What a cluster is, wherever it may be: nodes, overlay and ranges.</summary>
    /// <exception cref="UsageException">Ranges that overlap or are too small.</exception>
    public LabOptions ToCluster(Invocation invocation)
    {
        if (invocation.Parsed.GetResult(From) is { Implicit: false } && invocation.Parsed.GetValue(From) is { } path)
        {
            return FromSnapshot(path, invocation);
        }
        var families = invocation.Value(IpFamilies);
        try
        {
            var options = new LabOptions
            {
                Nodes = invocation.Value(Nodes),
                Overlay = invocation.Value(Overlay),
                Services = invocation.Value(Services),
                NodeRanges = DefaultRanges.Nodes.Of(families, invocation.Value(NodeRanges)),
                PodRanges = DefaultRanges.Pods.Of(families, invocation.Value(PodRanges)),
                ServiceRanges = DefaultRanges.Services.Of(families, invocation.Value(ServiceRanges)),
            };
            _ = new WireAddresses(options);
            return options;
        }
        catch (LabException wrong)
        {
            throw new UsageException(wrong.Message);
        }
    }

    /// <summary>A cluster as a snapshot has it. What is said beside it counts more: so one can see whether the other overlay fails as well.</summary>
    private LabOptions FromSnapshot(string path, Invocation invocation)
    {
        var snapshot = SnapshotReader.Read(path);
        var network = snapshot.Header.Network ?? throw new LabException($"--from: {path} does not say how its cluster's network was to be: no lab can be made of it");
        var nodes = snapshot.Parties.Count(static party => party.Kind == SnapshotPartyKind.Node);
        var options = new LabOptions
        {
            Nodes = invocation.IsGiven(Nodes) ? invocation.Value(Nodes) : nodes,
            Overlay = invocation.IsGiven(Overlay) ? invocation.Value(Overlay) : network.Overlay,
            Services = invocation.IsGiven(Services) ? invocation.Value(Services) : network.Services,
            NodeRanges = [.. network.NodeRanges],
            PodRanges = [.. network.PodRanges],
            ServiceRanges = [.. network.ServiceRanges],
        };
        foreach (var option in (Option[])[IpFamilies, NodeRanges, PodRanges, ServiceRanges])
        {
            if (invocation.IsGiven(option))
            {
                throw new UsageException($"--from says which addresses there are, and {option.Name} as well: choose one");
            }
        }
        try
        {
            var wire = new WireAddresses(options);
            for (var number = 1; number <= Math.Min(nodes, options.Nodes); number++)
            {
                var own = WireAddresses.Of(wire.Node(number));
                if (!snapshot.Parties.Any(party => party.Kind == SnapshotPartyKind.Node && party.Name == $"node-{number}" && party.Addresses.SequenceEqual(own)))
                {
                    throw new LabException($"--from: a lab calls its nodes node-1, node-2 … at {own[0]} and so on, and {path} has others: no lab can be made of it");
                }
            }
            return options;
        }
        catch (LabException wrong)
        {
            throw new UsageException(wrong.Message);
        }
    }

    private static ValueOption<ValueList<IpPrefix>> RangeOf(DefaultRanges kind, string[] aliases, string description) =>
        new(kind.Option, aliases, "RANGE[,RANGE]", description, Read.Ranges, [], $"{kind.V4}, and {kind.V6} with IPv6");

    private static string? CheckCni(string path)
    {
        if (path == "none")
        {
            return null;
        }
        if (!NetworkConfiguration.IsName(path))
        {
            return $"'{path}' is not the name of a configuration: runtimes read .conf, .conflist and .json";
        }
        try
        {
            _ = NetworkConfiguration.Load(path);
            return null;
        }
        catch (LabException wrong)
        {
            return wrong.Message;
        }
    }

    /// <summary>Those that are kept and those that were named, unpacked: the lab's own process cannot refuse them in a line of its own as early as this.</summary>
    private Dictionary<string, string> ImagesOf(Invocation invocation)
    {
        var store = ImageStore.OfUser();
        var images = store.Named().ToDictionary(static one => one.Name, static one => one.Path);
        foreach (var written in invocation.Values(Images))
        {
            var parts = written.Split('=', 2);
            images[parts[0]] = store.Take(parts[1], out _);
        }
        return images;
    }

    private static string? CheckImage(string text)
    {
        var parts = text.Split('=', 2);
        return parts.Length < 2 || parts[0].Length == 0 ? $"'{text}' is not NAME=PATH"
            : File.Exists(parts[1]) || Directory.Exists(parts[1]) ? null
            : $"there is no folder or archive '{parts[1]}'";
    }

    /// <summary>An option with one value so far: written so that scripts may say it, and so that the others are refused by name.</summary>
    private static ValueOption<string> Only(string name, string description, string word, string[] later) =>
        new(name, [], "KIND", description, Read.OneOf([(word, word)], later), word, word) { Offers = [word] };
}
