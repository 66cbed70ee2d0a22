using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;

namespace Plumb.Api.Discovery;

/// <summary>Groups, versions and resources, in the old form (one document a version) and aggregated (two documents for all).</summary>
internal sealed class DiscoveryDocuments(Catalog catalog)
{
    /// <summary>The API is that of Kubernetes 1.34; clients choose their ways by this number.</summary>
    public static JsonNode Version() => new JsonObject
    {
        ["major"] = "1",
        ["minor"] = "34",
        ["emulationMajor"] = "1",
        ["emulationMinor"] = "34",
        ["minCompatibilityMajor"] = "1",
        ["minCompatibilityMinor"] = "33",
        ["gitVersion"] = "v1.34.0+plumb",
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = "",
        ["platform"] = $"linux/{(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "amd64" : RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant())}",
    };

    public JsonNode Root()
    {
        var paths = new JsonArray("/api", "/api/v1", "/apis");
        foreach (var (group, versions) in Versions())
        {
            if (group.Length == 0)
                continue;
            paths.Add("/apis/" + group);
            foreach (var version in versions)
                paths.Add($"/apis/{group}/{version}");
        }

        foreach (var path in (ReadOnlySpan<string>)["/.well-known/openid-configuration", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/openid/v1/jwks", "/readyz", "/version"])
            paths.Add(path);
        return new JsonObject { ["paths"] = paths };
    }

    public static JsonNode CoreVersions(string address) => new JsonObject
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = address }),
    };

    public JsonNode Groups()
    {
        var groups = new JsonArray();
        foreach (var (group, versions) in Versions())
        {
            if (group.Length > 0)
                groups.Add(GroupOf(group, versions));
        }

        return new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = groups };
    }

    public JsonNode Group(string group)
    {
        var document = new JsonObject { ["kind"] = "APIGroup", ["apiVersion"] = "v1" };
        foreach (var (name, value) in GroupOf(group, Versions().First(pair => pair.Group == group).Versions))
            document[name] = value?.DeepClone();
        return document;
    }

    public JsonNode Resources(string group, string version)
    {
        var resources = new JsonArray();
        foreach (var definition in Of(group, version))
        {
            var resource = new JsonObject
            {
                ["name"] = definition.Resource.Resource,
                ["singularName"] = definition.Singular,
                ["namespaced"] = definition.Namespaced,
                ["kind"] = definition.Kind,
                ["verbs"] = Strings(definition.Verbs),
            };
            if (definition.ShortNames.Count > 0)
                resource["shortNames"] = Strings(definition.ShortNames);
            if (definition.Categories.Count > 0)
                resource["categories"] = Strings(definition.Categories);
            resources.Add(resource);
            foreach (var subresource in definition.Subresources)
            {
                var entry = new JsonObject { ["name"] = $"{definition.Resource.Resource}/{subresource.Name}", ["singularName"] = "", ["namespaced"] = definition.Namespaced };
                if (subresource.Group.Length > 0)
                {
                    entry["group"] = subresource.Group;
                    entry["version"] = subresource.Version;
                }

                entry["kind"] = subresource.Kind ?? definition.Kind;
                entry["verbs"] = Strings(subresource.Verbs);
                resources.Add(entry);
            }
        }

        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
            ["resources"] = resources,
        };
    }

    public JsonNode Aggregated(bool core)
    {
        var items = new JsonArray();
        foreach (var (group, versions) in Versions())
        {
            if (group.Length == 0 != core)
                continue;
            var shown = new JsonArray();
            foreach (var version in versions)
            {
                shown.Add(new JsonObject
                {
                    ["version"] = version,
                    ["resources"] = new JsonArray([.. Of(group, version).Select(AggregatedResource)]),
                    ["freshness"] = "Current",
                });
            }

            items.Add(new JsonObject { ["metadata"] = group.Length == 0 ? new JsonObject() : new JsonObject { ["name"] = group }, ["versions"] = shown });
        }

        return new JsonObject { ["kind"] = "APIGroupDiscoveryList", ["apiVersion"] = "apidiscovery.k8s.io/v2", ["metadata"] = new JsonObject(), ["items"] = items };
    }

    private static JsonNode AggregatedResource(ResourceDefinition definition)
    {
        var resource = new JsonObject
        {
            ["resource"] = definition.Resource.Resource,
            ["responseKind"] = KindOf("", "", definition.Kind),
            ["scope"] = definition.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = definition.Singular,
            ["verbs"] = Strings(definition.Verbs),
        };
        if (definition.ShortNames.Count > 0)
            resource["shortNames"] = Strings(definition.ShortNames);
        if (definition.Categories.Count > 0)
            resource["categories"] = Strings(definition.Categories);
        if (definition.Subresources.Count > 0)
        {
            resource["subresources"] = new JsonArray([.. definition.Subresources.Select(subresource => new JsonObject
            {
                ["subresource"] = subresource.Name,
                ["responseKind"] = KindOf(subresource.Group, subresource.Version, subresource.Kind ?? definition.Kind),
                ["verbs"] = Strings(subresource.Verbs),
            })]);
        }

        return resource;
    }

    private static JsonObject KindOf(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static JsonObject GroupOf(string group, IEnumerable<string> versions)
    {
        var all = new JsonArray([.. versions.Select(version => new JsonObject { ["groupVersion"] = $"{group}/{version}", ["version"] = version })]);
        return new JsonObject { ["name"] = group, ["versions"] = all, ["preferredVersion"] = all[0]!.DeepClone() };
    }

    private IEnumerable<ResourceDefinition> Of(string group, string version) =>
        catalog.All.Where(definition => definition.Resource.Group == group && definition.Version == version);

    private IEnumerable<(string Group, List<string> Versions)> Versions() => catalog.All
        .GroupBy(static definition => definition.Resource.Group)
        .Select(static group => (group.Key, group.Select(static definition => definition.Version).Distinct().ToList()));

    private static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(static text => (JsonNode)text)]);
}
