using System.Text.Json.Nodes;
using Plumb.Api.Access;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

/// <summary>What has a selector and makes pods from a template.</summary>
internal abstract class WorkloadStrategy(string kind) : Strategy
{
    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        PodDefaults.Apply(Fields.Object(Fields.Object(spec, "template"), "spec"));
        DefaultSpec(spec);
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        root["status"] = NewStatus();
        PodSecurityAdmission.AdmitTemplate(admission, root, root);
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        if (Fields.Number(spec, "replicas") is { } replicas and < 0)
            errors.Invalid("spec.replicas", replicas.ToString(), "must be greater than or equal to 0");
        var template = Fields.Object(spec, "template");
        Selector(spec, template, errors);
        MetadataValidation.Labels(Fields.Find(Fields.Find(template, "metadata"), "labels"), "spec.template.labels", errors);
        var pod = PodOf(spec, template);
        PodValidation.Spec(pod, "spec.template.spec", errors);
        RestartPolicy(pod, errors);
        ValidateSpec(spec, errors);
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var selector = Fields.Find(root, "spec")?["selector"];
        if (!JsonNode.DeepEquals(selector, Fields.Find(old, "spec")?["selector"]))
            errors.Invalid("spec.selector", selector, "field is immutable");
    }

    protected abstract void DefaultSpec(JsonObject spec);

    protected virtual JsonObject NewStatus() => [];

    protected virtual void ValidateSpec(JsonObject spec, FieldErrors errors)
    {
    }

    /// <summary>The spec of the pods as it will be.</summary>
    protected virtual JsonObject PodOf(JsonObject spec, JsonObject template) => Fields.Object(template, "spec");

    protected virtual void RestartPolicy(JsonObject pod, FieldErrors errors)
    {
        var policy = Fields.Text(pod, "restartPolicy");
        if (policy != "Always" && policy is "OnFailure" or "Never")
            errors.NotSupported("spec.template.spec.restartPolicy", policy, "Always");
    }

    protected virtual void Selector(JsonObject spec, JsonObject template, FieldErrors errors)
    {
        var selector = Fields.Find(spec, "selector");
        var labels = Fields.Find(Fields.Find(template, "metadata"), "labels");
        if (selector is null)
        {
            errors.Required("spec.selector");
        }
        else
        {
            SelectorValidation.Validate(selector, "spec.selector", errors);
            if (SelectorValidation.IsEmpty(selector))
            {
                errors.Invalid("spec.selector", selector, $"empty selector is invalid for {kind}");
                return;
            }
        }

        if (selector is null || !SelectorValidation.Selects(selector, labels))
            errors.Invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
    }
}

/// <summary>A template that is kept for whoever reads it: no pod is made from it.</summary>
internal sealed class PodTemplateStrategy : Strategy
{
    public override void Default(JsonObject root) => PodDefaults.Apply(Fields.Object(Fields.Object(root, "template"), "spec"));

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var template = Fields.Object(root, "template");
        MetadataValidation.Labels(Fields.Find(Fields.Find(template, "metadata"), "labels"), "template.labels", errors);
        PodValidation.Spec(Fields.Object(template, "spec"), "template.spec", errors);
    }
}

internal sealed class DeploymentStrategy() : WorkloadStrategy("deployment")
{
    private static readonly string[] Annotations = ["annotations"];

    /// <summary>A template's hash among the labels is not for whoever writes a status.</summary>
    protected override ReadOnlySpan<string> StatusMetadata => Annotations;

    public override void DefaultStatus(JsonObject root) => Conditions.Complete(root, "lastUpdateTime", "lastTransitionTime");

    protected override void DefaultSpec(JsonObject spec)
    {
        Fields.Default(spec, "replicas", 1);
        var strategy = Fields.Object(spec, "strategy");
        Fields.DefaultText(strategy, "type", "RollingUpdate");
        if (Fields.Text(strategy, "type") == "RollingUpdate")
        {
            var rolling = Fields.Object(strategy, "rollingUpdate");
            Fields.Default(rolling, "maxUnavailable", "25%");
            Fields.Default(rolling, "maxSurge", "25%");
        }

        Fields.Default(spec, "revisionHistoryLimit", 10);
        Fields.Default(spec, "progressDeadlineSeconds", 600);
    }

    protected override void ValidateSpec(JsonObject spec, FieldErrors errors)
    {
        var strategy = Fields.Find(spec, "strategy");
        var type = Fields.Text(strategy, "type");
        if (type is not ("Recreate" or "RollingUpdate"))
            errors.NotSupportedShown("spec.strategy", $"{{\"Type\":{FieldErrors.Quote(type)},\"RollingUpdate\":null}}", "Recreate", "RollingUpdate");
        var rolling = Fields.Find(strategy, "rollingUpdate");
        if (type == "Recreate" && rolling is not null)
            errors.Forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
        if (type == "RollingUpdate" && rolling is not null)
        {
            var unavailable = Share(rolling, "maxUnavailable", errors);
            var surge = Share(rolling, "maxSurge", errors);
            if (unavailable == 0 && surge == 0)
                errors.Invalid("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0");
        }

        var ready = Fields.Number(spec, "minReadySeconds") ?? 0;
        if (Fields.Number(spec, "progressDeadlineSeconds") is { } deadline && deadline <= ready)
            errors.Invalid("spec.progressDeadlineSeconds", deadline.ToString(), "must be greater than minReadySeconds");
        else if (Fields.Number(spec, "progressDeadlineSeconds") is { } limit and <= 5 && limit <= ready + 5)
            errors.Invalid("spec.progressDeadlineSeconds", limit.ToString(), "must be greater than minReadySeconds");
    }

    /// <summary>A count, or a percentage.</summary>
    private static long? Share(JsonObject rolling, string member, FieldErrors errors)
    {
        if (Fields.Number(rolling, member) is { } number)
            return number;
        var text = Fields.Text(rolling, member);
        if (text.EndsWith('%') && long.TryParse(text.AsSpan(0, text.Length - 1), out var percent) && percent >= 0)
            return percent;
        errors.InvalidText("spec.strategy.rollingUpdate." + member, text,
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
        return null;
    }
}

internal sealed class ReplicaSetStrategy() : WorkloadStrategy("replicaset")
{
    protected override void DefaultSpec(JsonObject spec) => Fields.Default(spec, "replicas", 1);

    protected override JsonObject NewStatus() => new() { ["replicas"] = 0 };
}

/// <summary>Its selector is a plain map, and is that of its template's labels where there is none.</summary>
internal sealed class ReplicationControllerStrategy() : WorkloadStrategy("replicationcontroller")
{
    public override void Default(JsonObject root)
    {
        base.Default(root);
        if (Fields.Find(Fields.Find(Fields.Object(Fields.Object(root, "spec"), "template"), "metadata"), "labels") is not { Count: > 0 } labels)
            return;
        foreach (var (owner, member) in (ReadOnlySpan<(JsonObject, string)>)[(Fields.Object(root, "spec"), "selector"), (Fields.Object(root, "metadata"), "labels")])
        {
            if (Fields.Find(owner, member) is not { Count: > 0 })
                owner[member] = labels.DeepClone();
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        // Unlike that of a ReplicaSet it may select others from now on.
    }

    /// <summary>As a ReplicaSet would have it.</summary>
    public static JsonObject SelectorOf(JsonObject? spec) => new() { ["matchLabels"] = (Fields.Find(spec, "selector") ?? []).DeepClone() };

    protected override void DefaultSpec(JsonObject spec) => Fields.Default(spec, "replicas", 1);

    protected override JsonObject NewStatus() => new() { ["replicas"] = 0 };

    protected override void Selector(JsonObject spec, JsonObject template, FieldErrors errors)
    {
        var labels = Fields.Find(Fields.Find(template, "metadata"), "labels");
        if (Fields.Find(spec, "selector") is not { Count: > 0 })
            errors.Required("spec.selector");
        else if (!SelectorValidation.Selects(SelectorOf(spec), labels))
            errors.Invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
    }
}

internal sealed class DaemonSetStrategy() : WorkloadStrategy("daemonset")
{
    public override void Default(JsonObject root)
    {
        base.Default(root);
        Fields.Default(Fields.Object(Fields.Object(root, "metadata"), "annotations"), "deprecated.daemonset.template.generation", "1");
    }

    protected override void DefaultSpec(JsonObject spec)
    {
        var strategy = Fields.Object(spec, "updateStrategy");
        Fields.DefaultText(strategy, "type", "RollingUpdate");
        if (Fields.Text(strategy, "type") == "RollingUpdate")
        {
            var rolling = Fields.Object(strategy, "rollingUpdate");
            Fields.Default(rolling, "maxUnavailable", 1);
            Fields.Default(rolling, "maxSurge", 0);
        }

        Fields.Default(spec, "revisionHistoryLimit", 10);
    }

    protected override JsonObject NewStatus() => new() { ["currentNumberScheduled"] = 0, ["numberMisscheduled"] = 0, ["desiredNumberScheduled"] = 0, ["numberReady"] = 0 };
}

internal sealed class StatefulSetStrategy() : WorkloadStrategy("statefulset")
{
    private const string UpdateRule = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
        + "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

    protected override void DefaultSpec(JsonObject spec)
    {
        Fields.Default(spec, "replicas", 1);
        Fields.DefaultText(spec, "podManagementPolicy", "OrderedReady");
        var strategy = Fields.Object(spec, "updateStrategy");
        Fields.DefaultText(strategy, "type", "RollingUpdate");
        if (Fields.Text(strategy, "type") == "RollingUpdate")
            Fields.Default(Fields.Object(strategy, "rollingUpdate"), "partition", 0);
        var retention = Fields.Object(spec, "persistentVolumeClaimRetentionPolicy");
        Fields.DefaultText(retention, "whenDeleted", "Retain");
        Fields.DefaultText(retention, "whenScaled", "Retain");
        Fields.Default(spec, "revisionHistoryLimit", 10);
        Fields.Default(spec, "serviceName", "");
        foreach (var claim in Fields.Objects(spec, "volumeClaimTemplates"))
        {
            claim["kind"] ??= "PersistentVolumeClaim";
            claim["apiVersion"] ??= "v1";
            Fields.DefaultText(Fields.Object(claim, "spec"), "volumeMode", "Filesystem");
            Fields.Default(claim, "status", new JsonObject { ["phase"] = "Pending" });
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        if (!JsonNode.DeepEquals(Fixed(root), Fixed(old)))
            errors.Forbidden("spec", UpdateRule);
    }

    protected override void ValidateSpec(JsonObject spec, FieldErrors errors)
    {
        if (Fields.Text(spec, "podManagementPolicy") is { } management and not ("OrderedReady" or "Parallel"))
            errors.Invalid("spec.podManagementPolicy", FieldErrors.Quote(management), "must be 'OrderedReady' or 'Parallel'");
        var strategy = Fields.Find(spec, "updateStrategy");
        if (Fields.Text(strategy, "type") is { } type and not ("OnDelete" or "RollingUpdate"))
            errors.Invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'");
        if (Fields.Number(Fields.Find(strategy, "rollingUpdate"), "partition") is { } partition and < 0)
            errors.Invalid("spec.updateStrategy.rollingUpdate.partition", partition.ToString(), "must be greater than or equal to 0");
        if (Fields.Number(Fields.Find(spec, "ordinals"), "start") is { } start and < 0)
            errors.Invalid("spec.ordinals.start", start.ToString(), "must be greater than or equal to 0");
        if (Fields.Text(spec, "serviceName") is { Length: > 0 } service)
        {
            foreach (var fault in NameSyntax.Subdomain(service))
                errors.InvalidText("spec.serviceName", service, fault);
        }
    }

    protected override JsonObject NewStatus() => new() { ["replicas"] = 0, ["availableReplicas"] = 0 };

    protected override JsonObject PodOf(JsonObject spec, JsonObject template)
    {
        var pod = base.PodOf(spec, template);
        var claims = Fields.Objects(spec, "volumeClaimTemplates").Select(static claim => Fields.Text(Fields.Find(claim, "metadata"), "name")).ToList();
        if (claims.Count == 0)
            return pod;
        pod = (JsonObject)pod.DeepClone();
        AddVolumes(pod, claims);
        return pod;
    }

    /// <summary>There are no volumes to claim; what mounts one finds an empty directory.</summary>
    internal static void AddVolumes(JsonObject pod, IEnumerable<string> claims)
    {
        foreach (var claim in claims)
        {
            if (pod["volumes"] is not JsonArray volumes)
                pod["volumes"] = volumes = [];
            for (var i = volumes.Count - 1; i >= 0; i--)
            {
                if (Fields.Text(volumes[i] as JsonObject, "name") == claim)
                    volumes.RemoveAt(i);
            }

            volumes.Add(new JsonObject { ["name"] = claim, ["emptyDir"] = new JsonObject() });
        }
    }

    /// <summary>The spec without what an update may change.</summary>
    private static JsonObject Fixed(JsonObject root)
    {
        var spec = Fields.Object(root, "spec").DeepClone().AsObject();
        foreach (var member in (ReadOnlySpan<string>)["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"])
            spec.Remove(member);
        return spec;
    }
}

internal sealed class JobStrategy() : WorkloadStrategy("job")
{
    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        base.PrepareCreate(root, admission);
        var metadata = Fields.Object(root, "metadata");
        var spec = Fields.Object(root, "spec");
        if (Fields.Flag(spec, "manualSelector"))
            return;
        var uid = Fields.Text(metadata, "uid");
        var labels = Fields.Object(Fields.Object(Fields.Object(spec, "template"), "metadata"), "labels");
        labels["batch.kubernetes.io/controller-uid"] = uid;
        labels["batch.kubernetes.io/job-name"] = Fields.Text(metadata, "name");
        labels["controller-uid"] = uid;
        labels["job-name"] = Fields.Text(metadata, "name");

        // The job takes its template's labels where it has none of its own.
        if (Fields.Find(metadata, "labels") is not { Count: > 0 })
            metadata["labels"] = labels.DeepClone();
        Fields.Object(Fields.Object(spec, "selector"), "matchLabels")["batch.kubernetes.io/controller-uid"] = uid;
    }

    protected override void DefaultSpec(JsonObject spec)
    {
        if (spec["completions"] is null && spec["parallelism"] is null)
            spec["completions"] = 1;
        Fields.Default(spec, "parallelism", 1);
        Fields.Default(spec, "backoffLimit", spec["backoffLimitPerIndex"] is null ? 6 : int.MaxValue);
        Fields.DefaultText(spec, "completionMode", "NonIndexed");
        Fields.Default(spec, "suspend", false);
        Fields.Default(spec, "manualSelector", false);
        Fields.DefaultText(spec, "podReplacementPolicy", "TerminatingOrFailed");
    }

    public override void DefaultStatus(JsonObject root) => Conditions.Complete(root, "lastProbeTime", "lastTransitionTime");

    /// <summary>A suspended Job that never began may still be placed anew: node selectors, affinity, tolerations, labels and annotations of its pods.</summary>
    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        var before = Fields.Object(old, "spec");
        base.ValidateUpdate(root, old, errors);
        if (!JsonNode.DeepEquals(Fixed(spec["template"], old), Fixed(before["template"], old)))
            errors.Invalid("spec.template", spec["template"], "field is immutable");
        foreach (var member in (ReadOnlySpan<string>)["completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "managedBy"])
        {
            if (!JsonNode.DeepEquals(spec[member], before[member]))
                errors.Invalid("spec." + member, spec[member], "field is immutable");
        }

        // An indexed Job may grow and shrink with its parallelism (KEP-3715).
        var isElastic = Fields.Text(spec, "completionMode") == "Indexed" && Fields.Number(spec, "completions") == Fields.Number(spec, "parallelism");
        if (!isElastic && Fields.Number(spec, "completions") != Fields.Number(before, "completions"))
            errors.Invalid("spec.completions", spec["completions"], "field is immutable");
    }

    private static JsonNode? Fixed(JsonNode? template, JsonObject old)
    {
        var isMovable = Fields.Flag(Fields.Find(old, "spec"), "suspend") && Fields.Find(old, "status")?["startTime"] is null;
        if (!isMovable || template?.DeepClone() is not JsonObject copy)
            return template;
        var metadata = Fields.Object(copy, "metadata");
        metadata.Remove("labels");
        metadata.Remove("annotations");
        foreach (var member in (ReadOnlySpan<string>)["nodeSelector", "affinity", "tolerations", "schedulingGates"])
            Fields.Object(copy, "spec").Remove(member);
        return copy;
    }

    protected override void Selector(JsonObject spec, JsonObject template, FieldErrors errors)
    {
        if (!Fields.Flag(spec, "manualSelector") && Fields.Find(spec, "selector") is { } selector && Fields.Find(selector, "matchLabels") is not { Count: <= 1 })
            errors.Invalid("spec.selector", selector, "`selector` not auto-generated");
        base.Selector(spec, template, errors);
    }

    protected override void ValidateSpec(JsonObject spec, FieldErrors errors) => SuccessPolicyValidation.Validate(spec, "spec", errors);

    protected override void RestartPolicy(JsonObject pod, FieldErrors errors)
    {
        if (Fields.Text(pod, "restartPolicy") == "Always")
            errors.Required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
    }
}
