using System.Text;
using System.Text.Json;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab;

/// <summary>What lab to make. Crosses from the command's process to the lab's as JSON in an argument.</summary>
public sealed record LabOptions
{
    public const int MaxNodes = 50;

    public LabName Name { get; init; } = LabName.Default;

    /// <summary>1 to <see cref="MaxNodes"/>.</summary>
    public int Nodes { get; init; } = 3;

    public OverlayKind Overlay { get; init; } = OverlayKind.Vxlan;

    public ServicesKind Services { get; init; } = ServicesKind.Nftables;

    /// <summary>The wire that nodes and the outside client are on: a range of each family, the preferred one first, as in the two below.</summary>
    public ValueList<IpPrefix> NodeRanges { get; init; } = DefaultRanges.Nodes.Of(IpFamilies.IPv4);

    /// <summary>The cluster CIDRs; each node has a /24 or a /64 of it.</summary>
    public ValueList<IpPrefix> PodRanges { get; init; } = DefaultRanges.Pods.Of(IpFamilies.IPv4);

    public ValueList<IpPrefix> ServiceRanges { get; init; } = DefaultRanges.Services.Of(IpFamilies.IPv4);

    /// <summary>Servers (<c>ADDRESS</c> or <c>ADDRESS:PORT</c>) that are asked for names outside of the cluster, from the host; null: those of the host's /etc/resolv.conf; empty: none.</summary>
    public IReadOnlyList<string>? DnsUpstreams { get; init; }

    /// <summary>Files, directories, or <c>-</c> for standard input, in the order in which they are applied.</summary>
    public IReadOnlyList<string> Manifests { get; init; } = [];

    /// <summary>A snapshot whose objects are made anew, before the manifests; null: none.</summary>
    public string? From { get; init; }

    /// <summary>Files with CNI configurations that are every node's; empty: nodes have none and are not Ready; null: that of Plumb's own plugin.</summary>
    public IReadOnlyList<string>? CniConfigurations { get; init; }

    /// <summary>Image name → directory or OCI archive that its containers run from.</summary>
    public IReadOnlyDictionary<string, string> Images { get; init; } = new Dictionary<string, string>();

    /// <summary>Each agent is a process of its own that speaks HTTPS to the API, so that it can really be killed.</summary>
    public bool AgentProcesses { get; init; }

    /// <summary>TCP port of the API on 127.0.0.1; 0: any that is free.</summary>
    public int ApiPort { get; init; }

    /// <summary>The lab counts as started only when the pods of its manifests are Ready.</summary>
    public bool WaitForPods { get; init; }

    /// <summary>What to run with KUBECONFIG set before all is taken down again; empty: run until stopped.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Directory that holds the labs' run directories; decided by the command's process, whose user the lab's no longer sees.</summary>
    public string? RuntimeRoot { get; init; }

    /// <summary>Started in the background: progress goes to standard output as lines of JSON until the lab is ready.</summary>
    public bool Detached { get; init; }

    /// <summary>When the command that asked for the lab began; steps of the start are told from then on.</summary>
    public DateTimeOffset? AskedAt { get; init; }

    public string ToJson() => Encoding.UTF8.GetString(LabJson.ToUtf8(json => LabJson.Write(json, this)));

    /// <exception cref="JsonException">Not what <see cref="ToJson"/> gave.</exception>
    public static LabOptions FromJson(string json)
    {
        using var document = JsonDocument.Parse(json);
        return LabJson.Options(document.RootElement);
    }
}
