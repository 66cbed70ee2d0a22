using System.Text.Json.Nodes;
using Plumb.Api.Access;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

/// <summary>Names of roles and bindings may hold colons: they are steps of a path, and that is all that is asked of them.</summary>
internal sealed class RoleStrategy(bool ofCluster) : Strategy
{
    public override NameRule Name => NameRule.PathStep;

    public override void Default(JsonObject root)
    {
        if (root["rules"] is null)
            root["rules"] = null;
    }

    public override void PrepareCreate(JsonObject root, in Admission admission) => Escalation.CheckRole(admission, root, null);

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission) => Escalation.CheckRole(admission, root, old);

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var index = 0;
        foreach (var rule in Fields.Objects(root, "rules"))
        {
            var at = $"rules[{index++}]";
            if (Fields.Array(rule, "verbs") is not { Count: > 0 })
                errors.Required(at + ".verbs", "verbs must contain at least one value");
            var urls = Fields.Array(rule, "nonResourceURLs") is { Count: > 0 };
            if (urls)
            {
                if (!ofCluster)
                    errors.Invalid(at + ".nonResourceURLs", rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs");
                if (Fields.Array(rule, "apiGroups") is { Count: > 0 } || Fields.Array(rule, "resources") is { Count: > 0 } || Fields.Array(rule, "resourceNames") is { Count: > 0 })
                    errors.Invalid(at + ".nonResourceURLs", rule["nonResourceURLs"], "rules cannot apply to both regular resources and non-resource URLs");
                continue;
            }

            if (Fields.Array(rule, "apiGroups") is not { Count: > 0 })
                errors.Required(at + ".apiGroups", "resource rules must supply at least one api group");
            if (Fields.Array(rule, "resources") is not { Count: > 0 })
                errors.Required(at + ".resources", "resource rules must supply at least one resource");
        }
    }
}

internal sealed class RoleBindingStrategy(bool ofCluster) : Strategy
{
    private const string Group = "rbac.authorization.k8s.io";

    public override NameRule Name => NameRule.PathStep;

    public override void Default(JsonObject root)
    {
        Fields.DefaultText(Fields.Object(root, "roleRef"), "apiGroup", Group);
        foreach (var subject in Fields.Objects(root, "subjects"))
        {
            if (Fields.Text(subject, "kind") is "User" or "Group")
                Fields.DefaultText(subject, "apiGroup", Group);
        }
    }

    public override void PrepareCreate(JsonObject root, in Admission admission) => Escalation.CheckBinding(admission, root, null);

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission) => Escalation.CheckBinding(admission, root, old);

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var role = Fields.Object(root, "roleRef");
        if (Fields.Text(role, "apiGroup") != Group)
            errors.NotSupported("roleRef.apiGroup", Fields.Text(role, "apiGroup"), Group);
        var kinds = ofCluster ? new[] { "ClusterRole" } : ["ClusterRole", "Role"];
        if (!kinds.Contains(Fields.Text(role, "kind")))
            errors.NotSupported("roleRef.kind", Fields.Text(role, "kind"), kinds);
        if (Fields.Text(role, "name").Length == 0)
            errors.Required("roleRef.name");
        var index = 0;
        foreach (var subject in Fields.Objects(root, "subjects"))
        {
            var at = $"subjects[{index++}]";
            if (Fields.Text(subject, "name").Length == 0)
                errors.Required(at + ".name");
            switch (Fields.Text(subject, "kind"))
            {
                case "ServiceAccount":
                    if (ofCluster && Fields.Text(subject, "namespace").Length == 0)
                        errors.Required(at + ".namespace");
                    break;
                case "User" or "Group":
                    if (Fields.Text(subject, "apiGroup") != Group)
                        errors.NotSupported(at + ".apiGroup", Fields.Text(subject, "apiGroup"), Group);
                    break;
                default:
                    errors.NotSupported(at + ".kind", Fields.Text(subject, "kind"), "ServiceAccount", "User", "Group");
                    break;
            }
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var role = Fields.Object(root, "roleRef");
        if (JsonNode.DeepEquals(role, old["roleRef"]))
            return;
        var shown = new JsonObject { ["APIGroup"] = Fields.Text(role, "apiGroup"), ["Kind"] = Fields.Text(role, "kind"), [nameof(Name)] = Fields.Text(role, "name") };
        errors.Invalid("roleRef", shown, "cannot change roleRef");
    }
}
