using System.Text.Json.Nodes;
using Plumb.Api.Access;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

/// <summary>ValidatingAdmissionPolicies: what is not understood of one is refused by its name, rather than taken and not held.</summary>
internal sealed class AdmissionPolicyStrategy(AdmissionPolicies policies) : Strategy
{
    protected override ReadOnlySpan<string> StatusMetadata => [];

    public static readonly GroupResource Resource = new("admissionregistration.k8s.io", "validatingadmissionpolicies");
    public static readonly GroupResource Bindings = new("admissionregistration.k8s.io", "validatingadmissionpolicybindings");

    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        Fields.DefaultText(spec, "failurePolicy", "Fail");
        var constraints = Fields.Object(spec, "matchConstraints");
        AdmissionBindingStrategy.Complete(constraints);
    }

    public override void PrepareCreate(JsonObject root, in Admission admission) => root["status"] = new JsonObject();

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        if (spec["paramKind"] is not null)
            errors.Forbidden("spec.paramKind", "parameters are not evaluated by this server, and the policy would silently not hold: take them out");
        PodValidation.Choice(spec, "failurePolicy", "spec", errors, "Fail", "Ignore");
        if (Fields.Array(Fields.Find(spec, "matchConstraints"), "resourceRules") is not { Count: > 0 })
            errors.Required("spec.matchConstraints.resourceRules");
        AdmissionBindingStrategy.RefuseConnections(Fields.Find(spec, "matchConstraints"), "spec.matchConstraints", errors);
        if (Fields.Array(spec, "validations") is not { Count: > 0 } && Fields.Array(spec, "auditAnnotations") is not { Count: > 0 })
            errors.Required("spec.validations", "validations or auditAnnotations must contain at least one item");
        foreach (var (list, member, isRequired) in (ReadOnlySpan<(string, string, bool)>)
            [("validations", "expression", true), ("validations", "messageExpression", false), ("matchConditions", "expression", true), ("variables", "expression", true)])
        {
            var index = 0;
            foreach (var item in Fields.Objects(spec, list))
            {
                var at = $"spec.{list}[{index++}].{member}";
                if (Fields.Text(item, member) is not { Length: > 0 } text)
                {
                    if (isRequired)
                        errors.Required(at, $"{member} is not specified");
                }
                else if (AdmissionPolicies.Fault(text) is { } fault)
                {
                    errors.InvalidText(at, text, fault);
                }
            }
        }
    }

    public override void Created(JsonObject root) => policies.Renew();

    public override void Updated(JsonObject root, JsonObject old) => policies.Renew();

    public override void Deleted(JsonObject last) => policies.Renew();
}

internal sealed class AdmissionBindingStrategy(AdmissionPolicies policies) : Strategy
{
    private static readonly string[] Actions = ["Audit", "Deny", "Warn"];

    public override void Default(JsonObject root)
    {
        if (Fields.Find(Fields.Object(root, "spec"), "matchResources") is { } narrower)
            Complete(narrower);
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        if (Fields.Text(spec, "policyName").Length == 0)
            errors.Required("spec.policyName");
        RefuseConnections(Fields.Find(spec, "matchResources"), "spec.matchResources", errors);
        var actions = MetadataValidation.Texts(spec, "validationActions");
        if (actions.Count == 0)
            errors.Required("spec.validationActions");
        for (var i = 0; i < actions.Count; i++)
        {
            if (!Actions.Contains(actions[i]))
                errors.NotSupported($"spec.validationActions[{i}]", actions[i], Actions);
        }

        if (actions.Contains("Deny") && actions.Contains("Warn"))
            errors.Invalid("spec.validationActions", spec["validationActions"], "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)");
    }

    public override void Created(JsonObject root) => policies.Renew();

    public override void Updated(JsonObject root, JsonObject old) => policies.Renew();

    public override void Deleted(JsonObject last) => policies.Renew();

    /// <summary>Conversations with pods and proxies are nothing that a policy is asked about.</summary>
    internal static void RefuseConnections(JsonObject? matching, string at, FieldErrors errors)
    {
        var index = 0;
        foreach (var rule in Fields.Objects(matching, "resourceRules"))
        {
            var here = $"{at}.resourceRules[{index++}]";
            if (MetadataValidation.Texts(rule, "operations").Contains("CONNECT"))
                errors.Forbidden(here + ".operations", "CONNECT is not asked of policies by this server, and the policy would silently not hold: take it out");
            foreach (var resource in MetadataValidation.Texts(rule, "resources"))
            {
                if (resource.Split('/') is [_, "exec" or "attach" or "portforward" or "proxy"])
                    errors.Forbidden(here + ".resources", $"policies are not asked about {resource} by this server, and the policy would silently not hold: take it out");
            }
        }
    }

    /// <summary>Which objects are meant: what is left out means all.</summary>
    internal static void Complete(JsonObject matching)
    {
        Fields.DefaultText(matching, "matchPolicy", "Equivalent");
        Fields.Default(matching, "namespaceSelector", new JsonObject());
        Fields.Default(matching, "objectSelector", new JsonObject());
        foreach (var list in (ReadOnlySpan<string>)["resourceRules", "excludeResourceRules"])
        {
            foreach (var rule in Fields.Objects(matching, list))
                Fields.DefaultText(rule, "scope", "*");
        }
    }
}
