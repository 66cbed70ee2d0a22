using System.Text.Json.Nodes;
using Plumb.Api.Resources;

namespace Plumb.Api.Access;

/// <summary>The roles that everybody expects of a cluster: `cluster-admin`, `admin`, `edit` and `view`, and what whoever has a token may ask.</summary>
internal static class AccessBootstrap
{
    private static readonly string[] Read = ["get", "list", "watch"];
    private static readonly string[] Write = ["create", "delete", "deletecollection", "patch", "update"];

    /// <summary>What a namespace's users work with, by group.</summary>
    private static readonly (string Group, string[] Resources)[] Everyday =
    [
        ("", ["configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "pods/log", "pods/status", "replicationcontrollers", "replicationcontrollers/scale", "replicationcontrollers/status", "serviceaccounts", "services", "services/status"]),
        ("apps", ["controllerrevisions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale", "deployments/status", "replicasets", "replicasets/scale", "replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status"]),
        ("autoscaling", ["horizontalpodautoscalers", "horizontalpodautoscalers/status"]),
        ("batch", ["cronjobs", "cronjobs/status", "jobs", "jobs/status"]),
        ("discovery.k8s.io", ["endpointslices"]),
        ("networking.k8s.io", ["ingresses", "ingresses/status", "networkpolicies"]),
        ("policy", ["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    ];

    public static void Create(Registry registry)
    {
        Role(registry, "cluster-admin", Rule(["*"], ["*"], ["*"]), new JsonObject { ["nonResourceURLs"] = new JsonArray("*"), ["verbs"] = new JsonArray("*") });
        Role(registry, "view", [.. Everyday.Select(static of => Rule([of.Group], of.Resources, Read)), Rule([""], ["limitranges", "namespaces", "resourcequotas"], Read)]);
        var edit = Edit();
        Role(registry, "edit", [.. edit]);
        Role(registry, "admin", [.. Edit(), Rule(["rbac.authorization.k8s.io"], ["roles", "rolebindings"], [.. Read, .. Write])]);
        Role(registry, "system:discovery", new JsonObject
        {
            ["nonResourceURLs"] = new JsonArray("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"),
            ["verbs"] = new JsonArray("get"),
        });
        Role(registry, "system:basic-user",
            Rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]), Rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]));
        Role(registry, "system:service-account-issuer-discovery", new JsonObject
        {
            ["nonResourceURLs"] = new JsonArray("/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"),
            ["verbs"] = new JsonArray("get"),
        });
        Bind(registry, "cluster-admin", UserInfo.Masters);
        Bind(registry, "system:service-account-issuer-discovery", "system:serviceaccounts");
        Bind(registry, "system:discovery", UserInfo.Authenticated);
        Bind(registry, "system:basic-user", UserInfo.Authenticated);
    }

    private static List<JsonObject> Edit() =>
    [
        .. Everyday.Select(static of => Rule([of.Group], of.Resources, [.. Read, .. Write])),
        Rule([""], ["secrets", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy", "pods/eviction", "pods/ephemeralcontainers", "serviceaccounts/token"], [.. Read, .. Write]),
        Rule([""], ["namespaces"], Read),
    ];

    private static JsonObject Rule(string[] groups, string[] resources, string[] verbs) => new() { ["apiGroups"] = List(groups), ["resources"] = List(resources), ["verbs"] = List(verbs) };

    private static JsonArray List(string[] texts) => new([.. texts.Select(static text => (JsonNode)text)]);

    private static void Role(Registry registry, string name, params JsonNode[] rules) =>
        registry.Create(Authorizer.ClusterRoles, "", new JsonObject { ["metadata"] = Metadata(name), ["rules"] = new JsonArray(rules) });

    private static void Bind(Registry registry, string role, string group) => registry.Create(Authorizer.ClusterRoleBindings, "", new JsonObject
    {
        ["metadata"] = Metadata(role),
        ["roleRef"] = new JsonObject { ["kind"] = "ClusterRole", ["name"] = role },
        ["subjects"] = new JsonArray(new JsonObject { ["kind"] = "Group", ["name"] = group }),
    });

    private static JsonObject Metadata(string name) => new() { ["name"] = name, ["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" } };
}
