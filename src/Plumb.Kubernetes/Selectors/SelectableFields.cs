using System.Collections.Frozen;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Selectors;

/// <summary>The fields that a field selector may name, by resource. Those of the metadata may be named everywhere.</summary>
public static class SelectableFields
{
    private static readonly FrozenDictionary<string, string[]> ByResource = new Dictionary<string, string[]>
    {
        ["pods"] =
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
        ],
        ["nodes"] = ["spec.unschedulable"],
        ["namespaces"] = ["status.phase"],
        ["secrets"] = ["type"],
        ["services"] = ["spec.clusterIP", "spec.type"],
        ["replicationcontrollers"] = ["status.replicas"],
        ["events"] = [.. EventFields("involvedObject."), "reportingComponent", "source"],
        ["events.events.k8s.io"] = [.. EventFields("regarding."), "reportingController"],
        ["jobs.batch"] = ["status.successful"],
        ["certificatesigningrequests.certificates.k8s.io"] = ["spec.signerName"],
    }.ToFrozenDictionary();

    /// <summary>The fields of <paramref name="resource"/> beyond those of the metadata.</summary>
    public static IReadOnlyList<string> Of(GroupVersionResource resource) => ByResource.GetValueOrDefault(resource.GroupResource, []);

    /// <summary>What a field that an object does not have is compared as: its type's zero, as the server fills its set of fields from typed objects.</summary>
    public static string Unset(string field) => field switch
    {
        "spec.unschedulable" or "spec.hostNetwork" => "false",
        "status.replicas" or "status.successful" => "0",
        _ => "",
    };

    /// <param name="isCustom">Custom resources have another wording.</param>
    /// <exception cref="SelectorException">The selector names a field that the resource does not offer; worded as the API server does.</exception>
    public static void Check(FieldSelector selector, GroupVersionResource resource, bool isCustom = false)
    {
        foreach (var requirement in selector.Requirements)
        {
            string field = requirement.Field;
            if (field is "metadata.name" or "metadata.namespace")
                continue;
            bool hasOwn = ByResource.TryGetValue(resource.GroupResource, out string[]? own);
            if (hasOwn && own!.AsSpan().Contains(field))
                continue;
            throw new SelectorException(hasOwn || isCustom
                ? $"field label not supported: {field}"
                : $"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
        }
    }

    private static string[] EventFields(string subject) =>
    [
        subject + "kind", subject + "namespace", subject + "name", subject + "uid", subject + "apiVersion", subject + "resourceVersion", subject + "fieldPath",
        "reason", "type",
    ];
}
