using Microsoft.AspNetCore.Http;
using Plumb.Api.Http;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Access;

/// <summary>Before anything is done: who asks (a token), as whom (impersonation), and may they.</summary>
internal sealed class Gate(Authentication authentication, Authorizer authorizer)
{
    private const string Key = "plumb.user";

    public Authorizer Authorizer => authorizer;

    public static UserInfo UserOf(HttpContext context) => (UserInfo)context.Items[Key]!;

    /// <exception cref="ApiException">401; 403 where somebody else's name is used without leave.</exception>
    public UserInfo Identify(HttpContext context)
    {
        var user = authentication.Identify(context.Request) ?? throw Unauthorized(context);
        context.Items[Key] = user = Impersonated(context.Request, user);
        return user;
    }

    /// <exception cref="ApiException">403.</exception>
    public void Require(UserInfo user, AccessAttributes asked)
    {
        if (user.IsMaster || authorizer.Allows(user, asked) is not null)
            return;
        if (asked.Path is { } path)
            throw new ApiException(403, "Forbidden", $"forbidden: User \"{user.Name}\" cannot {asked.Verb} path \"{path}\"", []);
        var where = asked.Namespace.Length > 0 ? $"in the namespace \"{asked.Namespace}\"" : "at the cluster scope";
        var resource = new GroupResource(asked.Group, asked.Resource);
        var named = asked.Name.Length > 0 ? $"{resource} \"{asked.Name}\"" : resource.ToString();
        throw new ApiException(403, "Forbidden",
            $"{named} is forbidden: User \"{user.Name}\" cannot {asked.Verb} resource \"{asked.Full}\" in API group \"{asked.Group}\" {where}", ApiException.DetailsOf(resource, asked.Name));
    }

    public static AccessAttributes Of(HttpRequest request, Target target, bool legacyWatch)
    {
        var verb = request.Method switch
        {
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => target.IsCollection ? "deletecollection" : "delete",
            "GET" or "HEAD" when legacyWatch || (target.IsCollection && request.Query.ContainsKey("watch") && request.Query["watch"].ToString() is not ("false" or "0")) => "watch",
            "GET" or "HEAD" => target.IsCollection ? "list" : "get",
            // No verb has this name: only a rule for all verbs allows it. What a method is called is told by its case too.
            _ => "",
        };
        return new AccessAttributes(verb, target.Definition.Resource.Group, target.Definition.Resource.Resource, target.Subresource,
            target.Definition.Resource.Group.Length == 0 && target.Definition.Resource.Resource == "namespaces" ? target.Name : target.Namespace, target.Name);
    }

    private UserInfo Impersonated(HttpRequest request, UserInfo user)
    {
        var name = request.Headers["Impersonate-User"].ToString();
        if (name.Length == 0)
            return user;
        var groups = request.Headers["Impersonate-Group"].Select(static group => group ?? "").ToList();
        Require(user, new AccessAttributes("impersonate", "", "users", "", "", name));
        foreach (var group in groups)
            Require(user, new AccessAttributes("impersonate", "", "groups", "", "", group));
        if (name.StartsWith("system:serviceaccount:", StringComparison.Ordinal) && groups.Count == 0 && name.Split(':') is [_, _, var home, _])
            groups.AddRange(["system:serviceaccounts", "system:serviceaccounts:" + home]);
        var everybody = name == "system:anonymous" ? UserInfo.Unauthenticated : UserInfo.Authenticated;
        if (!groups.Contains(everybody))
            groups.Add(everybody);
        return new UserInfo(name, request.Headers["Impersonate-Uid"].ToString(), groups);
    }

    private static ApiException Unauthorized(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"plumb\"";
        return new ApiException(401, "Unauthorized", "Unauthorized");
    }
}
