using System.Collections.Frozen;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Patches;

/// <summary>How a strategic merge patch treats one field.</summary>
/// <param name="Element">What the field's object, or the objects of its list, look like; null when nothing special is in there.</param>
/// <param name="MergeKey">The field that tells a list's objects apart; empty for a list of plain values that is merged as a set; null when the list is replaced whole.</param>
internal sealed record StrategicField(StrategicSchema? Element, string? MergeKey = null);

/// <summary>
/// Which lists of a kind are merged, and by which key: the `patchStrategy` and `patchMergeKey` of Kubernetes' API types (k8s.io/api, 1.34).
/// What is not named here is merged when it is an object and replaced when it is a list.
/// </summary>
internal sealed class StrategicSchema(params (string Name, StrategicField Field)[] fields)
{
    private static readonly StrategicSchema Meta = new(Set("finalizers"), List("ownerReferences", "uid"));

    private static readonly StrategicSchema Container = new(
        List("ports", "containerPort"), List("env", "name"), List("volumeMounts", "mountPath"), List("volumeDevices", "devicePath"));

    private static readonly StrategicSchema Volume = new(Map("ephemeral", new(Map("volumeClaimTemplate", new(Map("metadata", Meta))))));

    private static readonly StrategicSchema PodSpec = new(
        List("volumes", "name", Volume), List("containers", "name", Container), List("initContainers", "name", Container), List("ephemeralContainers", "name", Container),
        List("imagePullSecrets", "name"), List("hostAliases", "ip"), List("topologySpreadConstraints", "topologyKey"), List("schedulingGates", "name"),
        List("resourceClaims", "name"));

    private static readonly StrategicSchema Conditions = new(List("conditions", "type"));
    private static readonly StrategicSchema Template = new(Map("metadata", Meta), Map("spec", PodSpec));
    private static readonly StrategicSchema WithTemplate = new(Map("template", Template));
    private static readonly StrategicSchema Workload = Object(Map("spec", WithTemplate), Map("status", Conditions));
    private static readonly StrategicSchema OnlyMeta = Object();
    private static readonly StrategicSchema WithConditions = Object(Map("status", Conditions));

    private static readonly FrozenDictionary<string, StrategicSchema> ByKind = new Dictionary<string, StrategicSchema>
    {
        ["/Pod"] = Object(
            Map("spec", PodSpec),
            Map("status", new(List("conditions", "type"), List("podIPs", "ip"), List("hostIPs", "ip"), List("resourceClaimStatuses", "name")))),
        ["/PodTemplate"] = Object(Map("template", Template)),
        ["/Node"] = Object(Map("spec", new(Set("podCIDRs"))), Map("status", new(List("conditions", "type"), List("addresses", "type")))),
        ["/Service"] = Object(Map("spec", new(List("ports", "port"))), Map("status", Conditions)),
        ["/ServiceAccount"] = Object(List("secrets", "name")),
        ["/Namespace"] = WithConditions,
        ["/ReplicationController"] = Workload,
        ["/PersistentVolumeClaim"] = WithConditions,
        ["apps/Deployment"] = Workload,
        ["apps/ReplicaSet"] = Workload,
        ["apps/DaemonSet"] = Workload,
        ["apps/StatefulSet"] = Workload,
        ["batch/Job"] = Workload,
        ["batch/CronJob"] = Object(Map("spec", new(Map("jobTemplate", new(Map("metadata", Meta), Map("spec", WithTemplate)))))),
        ["policy/PodDisruptionBudget"] = WithConditions,
        ["networking.k8s.io/ServiceCIDR"] = WithConditions,
        ["admissionregistration.k8s.io/ValidatingAdmissionPolicy"] = Object(Map("spec", new(List("matchConditions", "name"), List("variables", "name")))),
        ["autoscaling/HorizontalPodAutoscaler"] = WithConditions,
    }.ToFrozenDictionary();

    private readonly FrozenDictionary<string, StrategicField> fields = fields.ToFrozenDictionary(field => field.Name, field => field.Field);

    public static StrategicSchema Of(GroupVersionKind kind) => ByKind.GetValueOrDefault($"{kind.Group}/{kind.Kind}", OnlyMeta);

    /// <summary>Null for a field without anything special.</summary>
    public StrategicField? Field(string name) => fields.GetValueOrDefault(name);

    private static StrategicSchema Object(params (string, StrategicField)[] fields) => new([Map("metadata", Meta), .. fields]);

    private static (string, StrategicField) Map(string name, StrategicSchema of) => (name, new(of));

    private static (string, StrategicField) List(string name, string mergeKey, StrategicSchema? of = null) => (name, new(of, mergeKey));

    private static (string, StrategicField) Set(string name) => (name, new(null, ""));
}
