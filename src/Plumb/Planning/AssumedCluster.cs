using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Manifests;
using Plumb.Kubernetes.Objects;
using Plumb.Lab;
using Plumb.Lab.Wire;

namespace Plumb.Planning;

/// <summary>
/// Manifests as they would be in a lab, without one: nodes where the manifests name none, the pods that workloads ask for, and for each
/// pod a node. Pods go to nodes in turn, in the order of the manifests; a scheduler may choose otherwise.
/// </summary>
internal sealed class AssumedCluster(LabOptions options)
{
    private readonly List<JsonNode> _objects = [];
    private readonly List<string> _nodes = [];
    private int _placed;

    /// <exception cref="ManifestException">A workload cannot be read.</exception>
    public IReadOnlyList<JsonNode> Complete(IReadOnlyList<Manifest> manifests)
    {
        foreach (var manifest in manifests)
        {
            if (manifest.Kind.Kind == "Node")
            {
                _nodes.Add(manifest.Name);
            }
        }
        if (_nodes.Count == 0)
        {
            AddNodes();
        }
        foreach (var manifest in manifests)
        {
            Add(manifest);
        }
        return _objects;
    }

    private void AddNodes()
    {
        var wire = new WireAddresses(options);
        for (var number = 1; number <= options.Nodes; number++)
        {
            var ranges = wire.PodRanges(number);
            _nodes.Add($"node-{number}");
            _objects.Add(new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Node",
                ["metadata"] = new JsonObject { ["name"] = $"node-{number}" },
                ["spec"] = new JsonObject { ["podCIDR"] = ranges[0].ToString(), ["podCIDRs"] = new JsonArray([.. ranges.Select(static range => (JsonNode)range.ToString())]) },
                ["status"] = new JsonObject
                {
                    ["addresses"] = new JsonArray([.. wire.Node(number).Select(static own => new JsonObject { ["type"] = "InternalIP", ["address"] = own.Address.ToString() })]),
                },
            });
        }
    }

    private void Add(Manifest manifest)
    {
        switch (manifest.Kind.Kind)
        {
            case "Pod":
                AddPod((JsonObject)manifest.Object.DeepClone(), manifest.Name, manifest.Namespace);
                break;
            case "DaemonSet":
                foreach (var node in _nodes)
                {
                    AddFromTemplate(manifest, node, node);
                }
                break;
            case "Deployment" or "ReplicaSet" or "ReplicationController" or "StatefulSet" or "Job":
                var first = manifest.Kind.Kind == "StatefulSet" ? 0 : 1;
                for (var i = 0; i < Replicas(manifest); i++)
                {
                    AddFromTemplate(manifest, $"{first + i}", node: null);
                }
                break;
            default:
                _objects.Add(manifest.Object);
                break;
        }
    }

    private static int Replicas(Manifest manifest)
    {
        var field = manifest.Kind.Kind == "Job" ? "completions" : "replicas";
        return manifest.Object.At("spec", field) switch
        {
            null => 1,
            JsonValue value when int.TryParse(value.ToJsonString(), out var count) && count >= 0 => count,
            var other => throw manifest.Fault($"spec.{field} is not a count: {other.ToJsonString()}"),
        };
    }

    private void AddFromTemplate(Manifest manifest, string suffix, string? node)
    {
        if (manifest.Object.At("spec", "template") is not JsonObject template)
        {
            throw manifest.Fault($"{manifest.Kind.Kind} {manifest.Name}: spec.template is missing");
        }
        var pod = (JsonObject)template.DeepClone();
        pod["apiVersion"] = "v1";
        pod["kind"] = "Pod";
        if (node is not null && pod["spec"] is JsonObject spec)
        {
            spec["nodeName"] = node;
        }
        AddPod(pod, $"{manifest.Name}-{suffix}", manifest.Namespace);
    }

    private void AddPod(JsonObject pod, string name, string? scope)
    {
        if (pod["metadata"] is not JsonObject metadata)
        {
            pod["metadata"] = metadata = [];
        }
        metadata["name"] = name;
        metadata["namespace"] = scope ?? "default";
        if (pod["spec"] is not JsonObject spec)
        {
            pod["spec"] = spec = [];
        }
        spec["nodeName"] ??= _nodes[_placed++ % _nodes.Count];
        _objects.Add(pod);
    }
}
