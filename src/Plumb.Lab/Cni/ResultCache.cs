using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Lab.Node;
using Plumb.Lab.Running;

namespace Plumb.Lab.Cni;

/// <summary>
/// What ADD came to, on disk as libcni keeps it ("The runtime should cache the result"; kind <c>cniCacheV1</c>, one file for an attachment): whoever has to end or check what an
/// earlier process began finds the configuration and the <c>prevResult</c> there.
/// </summary>
/// <param name="directory">Made when first needed.</param>
internal sealed class ResultCache(string directory)
{
    private const string Kind = "cniCacheV1";

    /// <exception cref="LabException">The disk is full.</exception>
    public void Write(NetworkConfiguration network, PodAttachment pod, JsonNode result)
    {
        RunDirectory.MakeDirectory(directory);
        RunDirectory.WriteFile(PathOf(network, pod), Encoding.UTF8.GetString(CniText.Of(new JsonObject
        {
            ["kind"] = Kind,
            ["containerId"] = pod.ContainerId,
            ["config"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(network.Text)),
            ["ifName"] = PodAttachment.InterfaceName,
            ["networkName"] = network.Name,
            ["netns"] = pod.NamespacePath,
            ["cniArgs"] = new JsonArray(
                new JsonArray("K8S_POD_NAMESPACE", pod.Pod.Namespace), new JsonArray("K8S_POD_NAME", pod.Pod.Name), new JsonArray("K8S_POD_UID", pod.Pod.Uid)),
            ["capabilityArgs"] = pod.CapabilityArguments(static _ => true),
            ["result"] = result.DeepClone(),
        })));
    }

    public void Remove(NetworkConfiguration network, PodAttachment pod)
    {
        var path = PathOf(network, pod);
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    /// <summary>All that is there; what cannot be read is left out and stays.</summary>
    public IEnumerable<(NetworkConfiguration Network, PodAttachment Pod, JsonNode Result)> Read()
    {
        foreach (var path in Directory.Exists(directory) ? Directory.GetFiles(directory) : [])
        {
            if (Read(path) is { } found)
            {
                yield return found;
            }
        }
    }

    private static (NetworkConfiguration, PodAttachment, JsonNode)? Read(string path)
    {
        try
        {
            if (CniText.Parse(File.ReadAllBytes(path)) is not JsonObject cached || cached["kind"]?.ToString() != Kind || cached["result"] is not { } result)
            {
                return null;
            }
            var network = NetworkConfiguration.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(cached["config"]?.ToString() ?? "")));
            var arguments = (cached["cniArgs"] as JsonArray ?? []).OfType<JsonArray>().Where(static pair => pair.Count == 2).ToDictionary(static pair => pair[0]!.ToString(), static pair => pair[1]!.ToString());
            var ports = (cached["capabilityArgs"]?["portMappings"] as JsonArray ?? []).OfType<JsonObject>().Select(PortMapping.Of).ToList();
            var bandwidth = CniBandwidth.Read(JsonElement.Parse((cached["capabilityArgs"] ?? new JsonObject()).ToJsonString()));
            var pod = new PodName(arguments.GetValueOrDefault("K8S_POD_NAMESPACE", ""), arguments.GetValueOrDefault("K8S_POD_NAME", ""), arguments.GetValueOrDefault("K8S_POD_UID", ""));
            return (network, new PodAttachment(cached["containerId"]?.ToString() ?? "", cached["netns"]?.ToString() ?? "", pod, ports) { Bandwidth = bandwidth }, result);
        }
        catch (Exception broken) when (broken is CniException or JsonException or FormatException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private string PathOf(NetworkConfiguration network, PodAttachment pod) => Path.Combine(directory, $"{network.Name}-{pod.ContainerId}-{PodAttachment.InterfaceName}");
}
