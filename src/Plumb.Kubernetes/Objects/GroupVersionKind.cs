namespace Plumb.Kubernetes.Objects;

/// <summary>The type of an object as its own `apiVersion` and `kind` say it. The core group is the empty string.</summary>
public readonly record struct GroupVersionKind(string Group, string Version, string Kind)
{
    /// <summary>`v1`, `apps/v1`.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <param name="apiVersion">`v1` or `group/version`; anything before the first slash is the group.</param>
    public static GroupVersionKind Of(string apiVersion, string kind)
    {
        int slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new("", apiVersion, kind) : new(apiVersion[..slash], apiVersion[(slash + 1)..], kind);
    }

    /// <summary>`apps/v1, Kind=Deployment`, as the API server's messages spell it (`/v1, Kind=Pod` for the core group).</summary>
    public override string ToString() => $"{Group}/{Version}, Kind={Kind}";
}

/// <summary>A collection of the API as paths name it: the plural, lower-case resource.</summary>
public readonly record struct GroupVersionResource(string Group, string Version, string Resource)
{
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>`deployments.apps`, `pods`: how messages name a resource.</summary>
    public string GroupResource => Group.Length == 0 ? Resource : $"{Resource}.{Group}";

    /// <summary>`/api/v1` for the core group, `/apis/group/version` for any other.</summary>
    public string ApiPath => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";

    /// <summary>The path of the collection, or with <paramref name="name"/> of one object. Without a namespace: over all of them, or of a kind that has none.</summary>
    public string Path(string? @namespace = null, string? name = null, string? subresource = null)
    {
        string path = string.IsNullOrEmpty(@namespace) ? $"{ApiPath}/{Resource}" : $"{ApiPath}/namespaces/{Uri.EscapeDataString(@namespace)}/{Resource}";
        if (name is not null)
            path = $"{path}/{Uri.EscapeDataString(name)}";
        return subresource is null ? path : $"{path}/{subresource}";
    }

    public override string ToString() => $"{Group}/{Version}, Resource={Resource}";
}

/// <summary>What is fixed about a kind: both of its names and whether its objects live in namespaces.</summary>
public sealed record ResourceType(GroupVersionKind Kind, GroupVersionResource Resource, bool Namespaced)
{
    internal static ResourceType Of(string apiVersion, string kind, string resource, bool namespaced = true)
    {
        var gvk = GroupVersionKind.Of(apiVersion, kind);
        return new(gvk, new(gvk.Group, gvk.Version, resource), namespaced);
    }

    public override string ToString() => Kind.ToString();
}
