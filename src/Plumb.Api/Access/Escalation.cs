using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Access;

/// <summary>
/// Nobody grants what they do not have: who writes a role must hold its rules (or may `escalate` it), who binds one must hold its rules (or may `bind` it).
/// </summary>
internal static class Escalation
{
    /// <param name="old">Null: the role is new.</param>
    /// <exception cref="ApiException">403.</exception>
    public static void CheckRole(in Admission admission, JsonObject role, JsonObject? old)
    {
        if (admission.Options.User is not { IsMaster: false } user || OnlyLetsGo(role, old))
            return;
        var authorizer = new Authorizer(admission.Registry.Store);
        var resource = admission.Definition.Resource;
        var metadata = Fields.Find(role, "metadata");
        var (name, home) = (Fields.Text(metadata, "name"), Fields.Text(metadata, "namespace"));
        // A request to create names no object: rules that are for certain names do not allow it.
        if (authorizer.Allows(user, new AccessAttributes("escalate", resource.Group, resource.Resource, "", home, old is null ? "" : name)) is not null)
            return;
        Require(authorizer, user, home, Fields.Objects(role, "rules").Select(PolicyRule.Of), resource, name);
        var aggregates = Fields.Find(role, "aggregationRule") is not null || Fields.Find(old, "aggregationRule") is not null;
        if (aggregates && Missing(authorizer, user, home, PolicyRule.FullAuthority).Missing.Count > 0)
            throw ApiException.Forbidden(resource, name, "must have cluster-admin privileges to use the aggregationRule");
    }

    /// <inheritdoc cref="CheckRole"/>
    public static void CheckBinding(in Admission admission, JsonObject binding, JsonObject? old)
    {
        if (admission.Options.User is not { IsMaster: false } user || OnlyLetsGo(binding, old))
            return;
        var authorizer = new Authorizer(admission.Registry.Store);
        var metadata = Fields.Find(binding, "metadata");
        var home = Fields.Text(metadata, "namespace");
        var role = Fields.Find(binding, "roleRef");
        var resource = Fields.Text(role, "kind") switch { "ClusterRole" => "clusterroles", "Role" => "roles", _ => "" };
        if (resource.Length > 0 && authorizer.Allows(user, new AccessAttributes("bind", Fields.Text(role, "apiGroup"), resource, "", home, Fields.Text(role, "name"))) is not null)
            return;
        var rules = resource.Length == 0 ? [] : authorizer.RulesOfRole(binding, home) ?? throw ApiException.NotFound(new GroupResource(Fields.Text(role, "apiGroup"), resource), Fields.Text(role, "name"));
        Require(authorizer, user, home, rules.Select(PolicyRule.Of), admission.Definition.Resource, Fields.Text(metadata, "name"));
    }

    private static void Require(Authorizer authorizer, UserInfo user, string home, IEnumerable<PolicyRule> wanted, GroupResource resource, string name)
    {
        var (missing, unresolved) = Missing(authorizer, user, home, wanted);
        if (missing.Count == 0)
            return;
        var rights = PolicyRule.Compact(missing).Select(static rule => rule.ToString()).Distinct().Order(StringComparer.Ordinal);
        var text = $"user {FieldErrors.Quote(user.Name)} (groups={PolicyRule.Quoted(user.Groups)}) is attempting to grant RBAC permissions not currently held:\n{string.Join('\n', rights)}";
        if (unresolved.Count > 0)
            text += $"; resolution errors: [{(unresolved.Count == 1 ? unresolved[0] : $"[{string.Join(", ", unresolved)}]")}]";
        throw ApiException.Forbidden(resource, name, text);
    }

    private static (List<PolicyRule> Missing, List<string> Unresolved) Missing(Authorizer authorizer, UserInfo user, string home, IEnumerable<PolicyRule> wanted)
    {
        var unresolved = new List<string>();
        List<PolicyRule> owned = [.. authorizer.RulesOf(user, home, unresolved).Select(PolicyRule.Of)];
        return (PolicyRule.Missing(owned, wanted), unresolved);
    }

    /// <summary>A write that only takes finalizers or owners away is what garbage collectors do: it grants nothing.</summary>
    private static bool OnlyLetsGo(JsonObject root, JsonObject? old)
    {
        if (old is null)
            return false;
        var (now, before) = (root.DeepClone().AsObject(), old.DeepClone().AsObject());
        foreach (var metadata in (JsonObject[])[Fields.Object(now, "metadata"), Fields.Object(before, "metadata")])
        {
            foreach (var member in (string[])["finalizers", "ownerReferences", "managedFields", "resourceVersion"])
                metadata.Remove(member);
        }

        return JsonNode.DeepEquals(now, before);
    }
}
