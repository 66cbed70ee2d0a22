using System.Text.Json.Nodes;
using Plumb.Diagnosis.Snapshots;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Lab.Manifests;

/// <summary>The objects of a snapshot as somebody could have written them: what users made, without what a cluster has added. What controllers made they make anew.</summary>
internal static class SnapshotManifests
{
    /// <summary>Made by every cluster for itself, or by its nodes and controllers.</summary>
    private static readonly HashSet<string> Runtime =
    [
        "Node", "Lease", "Event", "IPAddress", "ServiceCIDR", "ControllerRevision", "ComponentStatus", "APIService", "CSINode", "CSIStorageCapacity", "FlowSchema", "PriorityLevelConfiguration", "TokenReview",
        "VolumeAttachment",
    ];

    private static readonly HashSet<string> Namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

    private static readonly string[] Added = ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"];

    private static readonly string[] Annotations = ["kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"];

    /// <param name="file">For messages.</param>
    public static IEnumerable<Manifest> Of(IReadOnlyList<JsonObject> objects, string file)
    {
        // Of a Service without a selector people write the endpoints themselves.
        var byHand = objects.Where(static json => Text(json, "kind") == "Service" && json.At("spec", "selector") is null).Select(static json => (Text(json["metadata"], "namespace"), Text(json["metadata"], "name"))).ToHashSet();
        for (var i = 0; i < objects.Count; i++)
        {
            var isOthers = Text(objects[i], "kind") == "Endpoints" && !byHand.Contains((Text(objects[i]["metadata"], "namespace"), Text(objects[i]["metadata"], "name")));
            if (IsMade(objects[i]) && !isOthers)
            {
                yield return new Manifest(file, i + 1, Written((JsonObject)objects[i].DeepClone()));
            }
        }
    }

    private static bool IsMade(JsonObject json)
    {
        var (kind, name, scope) = (Text(json, "kind"), Text(json["metadata"], "name"), Text(json["metadata"], "namespace"));
        if (kind.Length == 0 || name.Length == 0 || Text(json, "apiVersion").Length == 0 || Runtime.Contains(kind))
        {
            return false;
        }
        var isOwned = (json.At("metadata", "ownerReferences") as JsonArray ?? []).Any(static owner => owner?["controller"]?.ToString() == "true");
        return !isOwned && (kind, scope, name) switch
        {
            ("Namespace", _, _) => !Namespaces.Contains(name),
            ("Service", "default", "kubernetes") or ("Service", "kube-system", "kube-dns") => false,
            ("EndpointSlice" or "Endpoints", "default", "kubernetes") => false,
            ("ClusterRole" or "ClusterRoleBinding", _, _) => Text(json.At("metadata", "labels"), "kubernetes.io/bootstrapping").Length == 0,
            ("PriorityClass", _, _) => !name.StartsWith("system-", StringComparison.Ordinal),
            ("ServiceAccount", _, "default") or ("ConfigMap", _, "kube-root-ca.crt") => false,
            // Slices of Services with a selector are the controller's; a hand-written one names nobody, or somebody else.
            ("EndpointSlice", _, _) => !Text(json.At("metadata", "labels"), "endpointslice.kubernetes.io/managed-by").EndsWith(".k8s.io", StringComparison.Ordinal),
            _ => !name.StartsWith("system:", StringComparison.Ordinal),
        };
    }

    private static JsonObject Written(JsonObject json)
    {
        json.Remove("status");
        if (json["metadata"] is JsonObject metadata)
        {
            foreach (var field in Added)
            {
                metadata.Remove(field);
            }
            if (metadata["annotations"] is JsonObject annotations)
            {
                foreach (var annotation in Annotations)
                {
                    annotations.Remove(annotation);
                }
            }
            // An owner that is no controller is another object here.
            metadata.Remove("ownerReferences");
        }
        return json;
    }

    private static string Text(JsonNode? from, string field) => (from as JsonObject)?[field] is JsonValue value && value.TryGetValue(out string? text) ? text : "";
}
