using System.Text.Json.Nodes;
using Plumb.Api.Access;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Schema;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

internal sealed class PodStrategy : Strategy
{
    private const string UpdateRule = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        + "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        PodDefaults.Apply(spec);
        Fields.Default(spec, "enableServiceLinks", true);
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        var spec = Fields.Object(root, "spec");
        Tolerate(spec, "node.kubernetes.io/not-ready");
        Tolerate(spec, "node.kubernetes.io/unreachable");
        if (admission.Registry.AdmitsServiceAccounts)
            ServiceAccountAdmission.Admit(admission, root);
        PodSecurityAdmission.Admit(admission, root);
        PriorityClassStrategy.Admit(admission.Registry, spec, Fields.Text(Fields.Object(root, "metadata"), "name"));
        var status = new JsonObject { ["phase"] = "Pending" };
        if (Fields.Array(spec, "schedulingGates") is { Count: > 0 })
        {
            status["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = "False",
                ["lastProbeTime"] = null,
                ["lastTransitionTime"] = admission.Registry.Now(),
                ["reason"] = "SchedulingGated",
                ["message"] = "Scheduling is blocked due to non-empty scheduling gates",
            });
        }

        status["qosClass"] = QualityOfService(spec);
        root["status"] = status;
    }

    public override void Validate(JsonObject root, FieldErrors errors) => PodValidation.Spec(Fields.Object(root, "spec"), "spec", errors);

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission)
    {
        if (part == Part.Main && !admission.Options.Binding)
        {
            var spec = Fields.Object(root, "spec");
            Tolerate(spec, "node.kubernetes.io/not-ready");
            Tolerate(spec, "node.kubernetes.io/unreachable");

            // What admission chose stays, whether the writer repeats it or not.
            foreach (var member in (ReadOnlySpan<string>)["priority", "preemptionPolicy", "priorityClassName"])
            {
                if (spec[member] is null && Fields.Find(old, "spec")?[member] is { } chosen)
                    spec[member] = chosen.DeepClone();
            }

            RequireUnchanged(root, old, admission.Definition);
        }

        if (part == Part.Resize)
            PodResize.RequireResizable(root, old, admission.Definition);
        if (part == Part.EphemeralContainers)
            PodSecurityAdmission.Admit(admission, root);
        if (part == Part.Status && Fields.Find(root, "status") is { } status)
            Fields.Default(status, "qosClass", old["status"]?["qosClass"]?.DeepClone() ?? "BestEffort");
    }

    /// <summary>`podIP` is the first of `podIPs`; where they differ the older field counts.</summary>
    public override void DefaultStatus(JsonObject root)
    {
        Conditions.Complete(root, "lastProbeTime", "lastTransitionTime");
        if (Fields.Find(root, "status") is { } status && Fields.Text(status, "podIP") is { Length: > 0 } address
            && Fields.Text(Fields.Objects(status, "podIPs").FirstOrDefault(), "ip") != address)
        {
            status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address });
        }
    }

    public override void ValidateStatus(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var status = Fields.Find(root, "status");
        var index = 0;
        foreach (var address in Fields.Objects(status, "podIPs"))
        {
            var text = Fields.Text(address, "ip");
            if (!NameSyntax.IsAddress(text))
                errors.InvalidText($"status.podIPs[{index}]", text, NameSyntax.AddressText);
            index++;
        }
    }

    public override bool IsGraceful => true;

    public override long Grace(JsonObject root, StoredObject present, DeleteOptions options)
    {
        // A pod that no kubelet knows, or whose containers have ended, goes at once.
        if (present.NodeName.Length == 0 || present.Phase is "Succeeded" or "Failed")
            return 0;
        var grace = options.GracePeriodSeconds ?? Fields.Number(Fields.Find(root, "spec"), "terminationGracePeriodSeconds") ?? 30;
        return grace < 0 ? 1 : grace;
    }

    private static void RequireUnchanged(JsonObject root, JsonObject old, ResourceDefinition definition)
    {
        var spec = Fields.Object(root, "spec");
        var before = Fields.Object(old, "spec");
        var errors = new FieldErrors();
        if ((Fields.Array(spec, "containers")?.Count ?? 0) != (Fields.Array(before, "containers")?.Count ?? 0))
        {
            errors.Forbidden("spec.containers", "pod updates may not add or remove containers");
        }
        else if (!JsonNode.DeepEquals(Fixed(spec), Fixed(before)) || !OnlyAdds(before, spec, "tolerations"))
        {
            errors.Forbidden("spec", UpdateRule);
        }

        errors.ThrowIfAny(definition, Fields.Text(Fields.Object(root, "metadata"), "name"));
    }

    /// <summary>The spec without what an update may change.</summary>
    private static JsonObject Fixed(JsonObject spec)
    {
        var fixedSpec = spec.DeepClone().AsObject();
        foreach (var member in (ReadOnlySpan<string>)["activeDeadlineSeconds", "tolerations", "schedulingGates"])
            fixedSpec.Remove(member);
        foreach (var member in (ReadOnlySpan<string>)["containers", "initContainers"])
        {
            foreach (var container in Fields.Objects(fixedSpec, member))
                container.Remove("image");
        }

        return fixedSpec;
    }

    private static bool OnlyAdds(JsonObject before, JsonObject after, string member)
    {
        foreach (var item in Fields.Array(before, member) ?? [])
        {
            if (!(Fields.Array(after, member) ?? []).Any(other => JsonNode.DeepEquals(item, other)))
                return false;
        }

        return true;
    }

    private static void Tolerate(JsonObject spec, string key)
    {
        foreach (var toleration in Fields.Objects(spec, "tolerations"))
        {
            if ((Fields.Text(toleration, "key") == key || (Fields.Text(toleration, "key").Length == 0 && Fields.Text(toleration, "operator") == "Exists"))
                && Fields.Text(toleration, "effect") is "" or "NoExecute")
            {
                return;
            }
        }

        if (spec["tolerations"] is not JsonArray tolerations)
            spec["tolerations"] = tolerations = [];
        tolerations.Add(new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = 300 });
    }

    internal static string QualityOfService(JsonObject spec)
    {
        bool any = false, guaranteed = true;
        foreach (var member in (ReadOnlySpan<string>)["containers", "initContainers"])
        {
            foreach (var container in Fields.Objects(spec, member))
            {
                var resources = Fields.Find(container, "resources");
                foreach (var name in (ReadOnlySpan<string>)["cpu", "memory"])
                {
                    var request = Fields.Find(resources, "requests")?[name]?.ToString();
                    var limit = Fields.Find(resources, "limits")?[name]?.ToString();
                    any |= IsPositive(request) || IsPositive(limit);
                    guaranteed &= limit is not null && Same(request ?? limit, limit);
                }
            }
        }

        return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
    }

    private static bool IsPositive(string? text) => text is not null && Quantities.TryParse(text, out var value) && value > 0;

    private static bool Same(string left, string right) => Quantities.TryParse(left, out var a) && Quantities.TryParse(right, out var b) && a == b;
}
