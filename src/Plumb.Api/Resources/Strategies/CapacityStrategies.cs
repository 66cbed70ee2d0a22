using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Schema;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

/// <summary>Objects that other people's manifests bring along: they are kept, completed and listed as by a real server, and whoever makes one is told that nothing acts on it.</summary>
internal abstract class IdleStrategy(string lack) : Strategy
{
    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        if (NewStatus() is { } status)
            root["status"] = status;
        admission.Warn(lack);
    }

    protected virtual JsonObject? NewStatus() => null;

    public override void Validate(JsonObject root, FieldErrors errors) => ValidateSpec(Fields.Object(root, "spec"), errors);

    protected virtual void ValidateSpec(JsonObject spec, FieldErrors errors)
    {
    }
}

internal sealed class ResourceQuotaStrategy() : IdleStrategy("this ResourceQuota is kept, and nothing is held to it: a Plumb lab counts no resources")
{
    public static readonly GroupResource Resource = new("", "resourcequotas");

    public override void Default(JsonObject root) => Quantities.Canonicalize(Fields.Find(Fields.Find(root, "spec"), "hard"));

    public override void DefaultStatus(JsonObject root)
    {
        Quantities.Canonicalize(Fields.Find(Fields.Find(root, "status"), "hard"));
        Quantities.Canonicalize(Fields.Find(Fields.Find(root, "status"), "used"));
    }

    protected override JsonObject NewStatus() => [];
}

internal sealed class LimitRangeStrategy() : IdleStrategy("this LimitRange is kept, and nothing is held to it: pods get no limits by it in a Plumb lab")
{
    public static readonly GroupResource Resource = new("", "limitranges");

    private static readonly string[] Amounts = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

    public override void Default(JsonObject root)
    {
        foreach (var limit in Fields.Objects(Fields.Object(root, "spec"), "limits"))
        {
            foreach (var member in Amounts)
                Quantities.Canonicalize(Fields.Find(limit, member));
            if (Fields.Text(limit, "type") != "Container")
                continue;
            // What is the most is also what a container gets, what it gets is also what it asks for, and it asks for the least at least.
            foreach (var (from, to) in (ReadOnlySpan<(string, string)>)[("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")])
            {
                foreach (var (resource, amount) in Fields.Find(limit, from) ?? [])
                {
                    if (amount is not null)
                        Fields.Default(Fields.Object(limit, to), resource, amount.DeepClone());
                }
            }
        }
    }

    protected override void ValidateSpec(JsonObject spec, FieldErrors errors)
    {
        var seen = new HashSet<string>();
        var index = 0;
        foreach (var limit in Fields.Objects(spec, "limits"))
        {
            var type = Fields.Text(limit, "type");
            if (type.Length == 0)
                errors.Required($"spec.limits[{index}].type");
            else if (!seen.Add(type))
                errors.Duplicate($"spec.limits[{index}].type", FieldErrors.Quote(type));
            index++;
        }
    }
}

internal sealed class AutoscalerStrategy() : IdleStrategy("this HorizontalPodAutoscaler is kept, and nothing is scaled by it: a Plumb lab measures no processors")
{
    public static readonly GroupResource Resource = new("autoscaling", "horizontalpodautoscalers");

    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        Fields.Default(spec, "minReplicas", 1);
        foreach (var rules in (ReadOnlySpan<string>)["scaleUp", "scaleDown"])
        {
            if (Fields.Find(Fields.Find(spec, "behavior"), rules) is { } side)
                Quantities.Canonicalize(side, "tolerance");
        }

        foreach (var target in Fields.Objects(spec, "metrics").SelectMany(static metric => metric).Select(static source => Fields.Find(source.Value as JsonObject, "target")).OfType<JsonObject>())
        {
            Quantities.Canonicalize(target, "value");
            Quantities.Canonicalize(target, "averageValue");
        }

        if (Fields.Array(spec, "metrics") is { Count: > 0 })
            return;
        spec["metrics"] = new JsonArray(new JsonObject
        {
            ["type"] = "Resource",
            ["resource"] = new JsonObject { ["name"] = "cpu", ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = 80 } },
        });
    }

    protected override JsonObject NewStatus() => new() { ["desiredReplicas"] = 0, ["currentMetrics"] = null };

    protected override void ValidateSpec(JsonObject spec, FieldErrors errors)
    {
        var least = Fields.Number(spec, "minReplicas") ?? 1;
        var most = Fields.Number(spec, "maxReplicas") ?? 0;
        if (least < 1)
            errors.Invalid("spec.minReplicas", least.ToString(), "must be greater than or equal to 1");
        if (most < 1)
            errors.Invalid("spec.maxReplicas", most.ToString(), "must be greater than 0");
        if (most < least)
            errors.Invalid("spec.maxReplicas", most.ToString(), "must be greater than or equal to `minReplicas`");
        foreach (var member in (ReadOnlySpan<string>)["kind", "name"])
        {
            if (Fields.Text(Fields.Find(spec, "scaleTargetRef"), member).Length == 0)
                errors.Required("spec.scaleTargetRef." + member);
        }
    }
}

/// <summary>Nothing binds a volume to a claim, or mounts it.</summary>
internal sealed class PersistentVolumeStrategy() : IdleStrategy("this PersistentVolume is kept, and no claim is bound to it: a pod that names a claim has an empty directory in a Plumb lab")
{
    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        Fields.DefaultText(spec, "persistentVolumeReclaimPolicy", "Retain");
        Fields.DefaultText(spec, "volumeMode", "Filesystem");
    }

    protected override JsonObject NewStatus() => new() { ["phase"] = "Pending" };
}
