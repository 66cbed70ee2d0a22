using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Access;

/// <summary>Roles and bindings, evaluated: what no binding grants is denied.</summary>
internal sealed class Authorizer(ObjectStore store)
{
    private const string Api = "rbac.authorization.k8s.io";

    public static readonly GroupResource Roles = new(Api, "roles");
    public static readonly GroupResource ClusterRoles = new(Api, "clusterroles");
    public static readonly GroupResource RoleBindings = new(Api, "rolebindings");
    public static readonly GroupResource ClusterRoleBindings = new(Api, "clusterrolebindings");

    /// <returns>Why it is granted, as the real server tells it; null: nobody grants it.</returns>
    public string? Allows(UserInfo user, AccessAttributes asked)
    {
        if (user.IsMaster)
            return "";
        foreach (var (rules, reason) in Grants(user, asked.Namespace))
        {
            foreach (var rule in rules)
            {
                if (Matches(rule, asked))
                    return "RBAC: allowed by " + reason;
            }
        }

        return null;
    }

    /// <summary>Every rule that somebody has in a namespace.</summary>
    /// <param name="unresolved">Takes a line for each binding to a role that is not there.</param>
    public IEnumerable<JsonObject> RulesOf(UserInfo user, string @namespace, List<string>? unresolved = null) =>
        Grants(user, @namespace, unresolved).SelectMany(static grant => grant.Rules);

    private IEnumerable<(List<JsonObject> Rules, string Reason)> Grants(UserInfo user, string @namespace, List<string>? unresolved = null)
    {
        foreach (var stored in store.List(ClusterRoleBindings))
        {
            var binding = stored.ToNode();
            if (Subject(binding, user, "") is { } subject)
                yield return (Resolved(binding, "", unresolved), $"ClusterRoleBinding \"{stored.Name}\" of {Role(binding)} to {subject}");
        }

        if (@namespace.Length == 0)
            yield break;
        foreach (var stored in store.List(RoleBindings, @namespace))
        {
            var binding = stored.ToNode();
            if (Subject(binding, user, @namespace) is { } subject)
                yield return (Resolved(binding, @namespace, unresolved), $"RoleBinding \"{stored.Name}/{@namespace}\" of {Role(binding)} to {subject}");
        }
    }

    private static string Role(JsonObject binding)
    {
        var role = Fields.Find(binding, "roleRef");
        return $"{Fields.Text(role, "kind")} \"{Fields.Text(role, "name")}\"";
    }

    /// <summary>The rules of the role that a binding names; null: there is no such role.</summary>
    public List<JsonObject>? RulesOfRole(JsonObject binding, string @namespace) => store.Find(RoleKey(binding, @namespace)) is { } role ? RulesOf(role.ToNode()) : null;

    private List<JsonObject> Resolved(JsonObject binding, string @namespace, List<string>? unresolved)
    {
        if (RulesOfRole(binding, @namespace) is { } rules)
            return rules;
        unresolved?.Add(ApiException.NotFound(RoleKey(binding, @namespace)).Message);
        return [];
    }

    private static StoreKey RoleKey(JsonObject binding, string @namespace)
    {
        var reference = Fields.Find(binding, "roleRef");
        var name = Fields.Text(reference, "name");
        return Fields.Text(reference, "kind") == "ClusterRole" ? new StoreKey(ClusterRoles, "", name) : new StoreKey(Roles, @namespace, name);
    }

    /// <summary>A cluster role may be made of others, which it selects by their labels.</summary>
    private List<JsonObject> RulesOf(JsonObject role)
    {
        var rules = Fields.Objects(role, "rules").ToList();
        foreach (var selector in Fields.Objects(Fields.Find(role, "aggregationRule"), "clusterRoleSelectors"))
        {
            foreach (var other in store.List(ClusterRoles))
            {
                var root = other.ToNode();
                if (root["aggregationRule"] is null && SelectorValidation.Selects(selector, Fields.Find(Fields.Find(root, "metadata"), "labels")))
                    rules.AddRange(Fields.Objects(root, "rules"));
            }
        }

        return rules;
    }

    /// <returns>Who of a binding's subjects the user is; null: none.</returns>
    private static string? Subject(JsonObject binding, UserInfo user, string @namespace)
    {
        foreach (var subject in Fields.Objects(binding, "subjects"))
        {
            var name = Fields.Text(subject, "name");
            switch (Fields.Text(subject, "kind"))
            {
                case "User" when name == user.Name:
                    return $"User \"{name}\"";
                case "Group" when user.Groups.Contains(name):
                    return $"Group \"{name}\"";
                case "ServiceAccount":
                    var home = Fields.Text(subject, "namespace") is { Length: > 0 } said ? said : @namespace;
                    if (user.Name == $"system:serviceaccount:{home}:{name}")
                        return $"ServiceAccount \"{name}/{home}\"";
                    break;
            }
        }

        return null;
    }

    private static bool Matches(JsonObject rule, AccessAttributes asked)
    {
        if (!Has(rule, "verbs", asked.Verb))
            return false;
        if (asked.Path is { } path)
            return MetadataValidation.Texts(rule, "nonResourceURLs").Exists(url => url == "*" || url == path || (url.EndsWith('*') && path.StartsWith(url[..^1], StringComparison.Ordinal)));
        return Has(rule, "apiGroups", asked.Group) && HasResource(rule, asked) && HasName(rule, asked.Name);
    }

    private static bool Has(JsonObject rule, string member, string wanted) => MetadataValidation.Texts(rule, member).Exists(text => text == "*" || text == wanted);

    private static bool HasResource(JsonObject rule, AccessAttributes asked) =>
        MetadataValidation.Texts(rule, "resources").Exists(text => text == "*" || text == asked.Full || (asked.Subresource.Length > 0 && text == "*/" + asked.Subresource));

    private static bool HasName(JsonObject rule, string name)
    {
        var names = MetadataValidation.Texts(rule, "resourceNames");
        return names.Count == 0 || names.Contains(name);
    }
}
