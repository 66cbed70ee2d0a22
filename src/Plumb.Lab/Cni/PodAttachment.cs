using System.Text.Json.Nodes;
using Plumb.Lab.Node;

namespace Plumb.Lab.Cni;

/// <summary>What a runtime tells plugins of one pod.</summary>
/// <param name="ContainerId">CNI_CONTAINERID: that of the sandbox.</param>
/// <param name="NamespacePath">CNI_NETNS</param>
internal sealed record PodAttachment(string ContainerId, string NamespacePath, PodName Pod, IReadOnlyList<PortMapping> Ports)
{
    public const string InterfaceName = "eth0";

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
