using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Lab.Node;
using Plumb.Network.Facts;

namespace Plumb.Lab.Cni;

/// <summary>What a runtime tells plugins of one pod.</summary>
/// <param name="ContainerId">CNI_CONTAINERID: that of the sandbox.</param>
/// <param name="NamespacePath">CNI_NETNS</param>
internal sealed record PodAttachment(string ContainerId, string NamespacePath, PodName Pod, IReadOnlyList<PortMapping> Ports)
{
    public const string InterfaceName = "eth0";

    /// <summary>How fast it may be (capability <c>bandwidth</c>).</summary>
    public Bandwidth Bandwidth { get; init; }

    /// <summary>What a runtime tells by capabilities, by their names.</summary>
    public JsonObject CapabilityArguments(Func<string, bool> isTaken)
    {
        var arguments = new JsonObject();
        if (Ports.Count != 0 && isTaken("portMappings"))
        {
            arguments["portMappings"] = new JsonArray([.. Ports.Select(static port => (JsonNode)port.ToJson())]);
        }
        if (Bandwidth != default && isTaken("bandwidth"))
        {
            arguments["bandwidth"] = ToJson(Bandwidth);
        }
        return arguments;
    }

    /// <summary>As containerd says it: annotations know no burst.</summary>
    public static JsonObject ToJson(Bandwidth bandwidth)
    {
        var json = new JsonObject();
        foreach (var (direction, limit) in new[] { ("ingress", bandwidth.Ingress), ("egress", bandwidth.Egress) })
        {
            if (limit is { } rate)
            {
                json[direction + "Rate"] = rate.BitsPerSecond;
                json[direction + "Burst"] = rate.BurstBits == 0 ? CniBandwidth.UnsaidBurstBits : rate.BurstBits;
            }
        }
        return json;
    }

    /// <param name="pluginPath">Directories of executables, with colons between them.</param>
    public Dictionary<string, string> Environment(string command, string pluginPath) => new(6)
    {
        ["CNI_COMMAND"] = command,
        ["CNI_CONTAINERID"] = ContainerId,
        ["CNI_NETNS"] = NamespacePath,
        ["CNI_IFNAME"] = InterfaceName,
        ["CNI_ARGS"] = $"IgnoreUnknown=1;K8S_POD_NAMESPACE={Pod.Namespace};K8S_POD_NAME={Pod.Name};K8S_POD_INFRA_CONTAINER_ID={ContainerId};K8S_POD_UID={Pod.Uid}",
        ["CNI_PATH"] = pluginPath,
    };
}

/// <summary>A port of the node that leads to one of the pod's (capability <c>portMappings</c>).</summary>
/// <param name="Protocol">tcp, udp or sctp</param>
/// <param name="HostAddress">Empty: all of the node's.</param>
internal readonly record struct PortMapping(int HostPort, int ContainerPort, string Protocol, string HostAddress)
{
    public static PortMapping Of(JsonObject json) =>
        new((int?)json["hostPort"] ?? 0, (int?)json["containerPort"] ?? 0, (string?)json["protocol"] ?? "tcp", (string?)json["hostIP"] ?? "");

    public JsonObject ToJson() => new() { ["hostPort"] = HostPort, ["containerPort"] = ContainerPort, ["protocol"] = Protocol, ["hostIP"] = HostAddress };
}
