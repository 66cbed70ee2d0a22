using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

internal sealed class NodeStrategy : Strategy
{
    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        if (Fields.Text(spec, "podCIDR") is { Length: > 0 } prefix && Fields.Array(spec, "podCIDRs") is not { Count: > 0 })
            spec["podCIDRs"] = new JsonArray(prefix);
        else if (Fields.Array(spec, "podCIDRs") is { Count: > 0 } prefixes && spec["podCIDR"] is null)
            spec["podCIDR"] = prefixes[0]!.DeepClone();
        DefaultStatus(root);
    }

    public override void DefaultStatus(JsonObject root)
    {
        if (Fields.Find(root, "status") is { } status && Fields.Find(status, "capacity") is { } capacity && status["allocatable"] is null)
            status["allocatable"] = capacity.DeepClone();
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        // The taint of a node that has not yet said that it is ready (TaintNodesByCondition admission); the node lifecycle takes it away.
        var spec = Fields.Object(root, "spec");
        if (spec["taints"] is not JsonArray taints)
            spec["taints"] = taints = [];
        if (!Fields.Objects(spec, "taints").Any(static taint => Fields.Text(taint, "key") == "node.kubernetes.io/not-ready" && Fields.Text(taint, "effect") == "NoSchedule"))
            taints.Add(new JsonObject { ["key"] = "node.kubernetes.io/not-ready", ["effect"] = "NoSchedule" });
        var status = Fields.Object(root, "status");
        Fields.Default(status, "daemonEndpoints", new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = 0 } });
        var info = Fields.Object(status, "nodeInfo");
        foreach (var member in (ReadOnlySpan<string>)
            ["machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture"])
        {
            Fields.Default(info, member, "");
        }
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var index = 0;
        foreach (var prefix in MetadataValidation.Texts(Fields.Find(root, "spec"), "podCIDRs"))
        {
            if (!NameSyntax.IsPrefix(prefix))
                errors.InvalidText($"spec.podCIDRs[{index}]", prefix, NameSyntax.PrefixText);
            index++;
        }

        var seen = new HashSet<(string, string)>();
        index = 0;
        foreach (var taint in Fields.Objects(Fields.Find(root, "spec"), "taints"))
        {
            var key = Fields.Text(taint, "key");
            var effect = Fields.Text(taint, "effect");
            if (!seen.Add((key, effect)))
            {
                errors.Duplicate($"metadata.taints[{index}]",
                    $"{{\"Key\":{FieldErrors.Quote(key)},\"Value\":{FieldErrors.Quote(Fields.Text(taint, "value"))},\"Effect\":{FieldErrors.Quote(effect)},\"TimeAdded\":null}}: taints must be unique by key and effect pair");
            }

            index++;
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var spec = Fields.Find(root, "spec");
        var before = Fields.Find(old, "spec");
        if (Fields.Array(before, "podCIDRs") is { Count: > 0 } prefixes && !JsonNode.DeepEquals(prefixes, spec?["podCIDRs"]))
            errors.Forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
        if (Fields.Text(before, "providerID") is { Length: > 0 } provider && Fields.Text(spec, "providerID") != provider)
            errors.Forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid");
    }
}
