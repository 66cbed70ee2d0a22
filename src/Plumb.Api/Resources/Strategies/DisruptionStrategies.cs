using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

internal sealed class DisruptionBudgetStrategy : Strategy
{
    public static readonly GroupResource Resource = new("policy", "poddisruptionbudgets");

    public override void Default(JsonObject root) => Fields.Object(root, "spec");

    public override void PrepareCreate(JsonObject root, in Admission admission) => root["status"] = new JsonObject
    {
        ["disruptionsAllowed"] = 0,
        ["currentHealthy"] = 0,
        ["desiredHealthy"] = 0,
        ["expectedPods"] = 0,
    };

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        var least = spec["minAvailable"];
        var most = spec["maxUnavailable"];
        if (least is not null && most is not null)
        {
            var shown = new JsonObject
            {
                ["MinAvailable"] = least.DeepClone(),
                ["Selector"] = spec["selector"]?.DeepClone(),
                ["MaxUnavailable"] = most.DeepClone(),
                ["UnhealthyPodEvictionPolicy"] = spec["unhealthyPodEvictionPolicy"]?.DeepClone(),
            };
            errors.Invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set");
        }

        Share(spec, "minAvailable", errors);
        Share(spec, "maxUnavailable", errors);
        SelectorValidation.Validate(Fields.Find(spec, "selector"), "spec.selector", errors);
        if (Fields.Text(spec, "unhealthyPodEvictionPolicy").Length > 0)
            PodValidation.Choice(spec, "unhealthyPodEvictionPolicy", "spec", errors, "AlwaysAllow", "IfHealthyBudget");
    }

    private static void Share(JsonObject spec, string member, FieldErrors errors)
    {
        if (spec[member] is null)
            return;
        if (Fields.Number(spec, member) is { } number)
        {
            if (number < 0)
                errors.Invalid("spec." + member, number.ToString(), "must be greater than or equal to 0");
            return;
        }

        var text = Fields.Text(spec, member);
        if (!text.EndsWith('%') || !long.TryParse(text.AsSpan(0, text.Length - 1), out var percent) || percent < 0)
        {
            errors.InvalidText("spec." + member, text,
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
        }
        else if (percent > 100)
        {
            errors.InvalidText("spec." + member, text, "must not be greater than 100%");
        }
    }
}

internal sealed class PriorityClassStrategy : Strategy
{
    public static readonly GroupResource Resource = new("scheduling.k8s.io", "priorityclasses");

    private const long MostOfUsers = 1_000_000_000;
    private const string System = "system-";

    public override void Default(JsonObject root)
    {
        Fields.Default(root, "value", 0);
        Fields.DefaultText(root, "preemptionPolicy", "PreemptLowerPriority");
        if (!Fields.Flag(root, "globalDefault"))
            root.Remove("globalDefault");
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        if (Fields.Text(Fields.Find(root, "metadata"), "name") is var name && name.StartsWith(System, StringComparison.Ordinal))
        {
            if (name is not ("system-node-critical" or "system-cluster-critical"))
                errors.Forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: " + $"{name} is not a known system priority class");
        }
        else if (Fields.Number(root, "value") > MostOfUsers)
        {
            errors.Forbidden("value", "maximum allowed value of a user defined priority is 1000000000");
        }

        PodValidation.Choice(root, "preemptionPolicy", "", errors, "Never", "PreemptLowerPriority");
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        if (Fields.Number(root, "value") != Fields.Number(old, "value"))
            errors.Forbidden("value", "may not be changed in an update.");
        if (Fields.Text(root, "preemptionPolicy") != Fields.Text(old, "preemptionPolicy"))
            errors.InvalidText("preemptionPolicy", Fields.Text(root, "preemptionPolicy"), "field is immutable");
    }

    public override long Grace(JsonObject root, StoredObject present, DeleteOptions options) => present.Name.StartsWith(System, StringComparison.Ordinal)
        ? throw ApiException.Forbidden(Resource, present.Name, "this is a system priority class and cannot be deleted")
        : 0;

    /// <summary>Sets a new pod's priority from its class, or from the default one.</summary>
    /// <exception cref="ApiException">403: there is no such class.</exception>
    public static void Admit(Registry registry, JsonObject spec, string pod)
    {
        var name = Fields.Text(spec, "priorityClassName");
        var found = name.Length > 0
            ? registry.Store.Find(new StoreKey(Resource, "", name)) ?? throw ApiException.Forbidden(GroupResource.Pods, pod, $"no PriorityClass with name {name} was found")
            : registry.Store.List(Resource, null, static stored => stored.Field("globalDefault") == "true") is [var global, ..] ? global : null;
        var root = found?.ToNode();
        if (found is not null)
            spec["priorityClassName"] = found.Name;
        spec["priority"] = Fields.Number(root, "value") ?? 0;
        Fields.DefaultText(spec, "preemptionPolicy", root is null ? "PreemptLowerPriority" : Fields.Text(root, "preemptionPolicy"));
    }
}
