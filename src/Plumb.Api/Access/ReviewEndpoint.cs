using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Http;
using Plumb.Api.Http.Endpoints;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Access;

/// <summary>Questions that are asked by creating an object: who am I, whose token is this, who may do what. Nothing is stored.</summary>
internal sealed class ReviewEndpoint(Authorizer authorizer, ServiceAccountTokens tokens, TimeProvider time)
{
    public async Task ServeAsync(HttpContext context, Target target)
    {
        if (Negotiated.From(context.Request.Headers.Accept.ToString()).Form == Form.Table)
            throw new ApiException(406, "NotAcceptable", $"the resource {target.Definition.Resource} does not support being converted to a Table");
        var query = WriteQuery.Parse(context, "CreateOptions");
        var review = await BodyAsync(context, target, query);
        var spec = Fields.Object(review, "spec");
        var user = Gate.UserOf(context);
        var answer = new JsonObject { ["kind"] = target.Definition.Kind, ["apiVersion"] = target.Definition.ApiVersion, ["metadata"] = Metadata(review, query, target) };
        switch (target.Definition.Kind)
        {
            case "SelfSubjectReview":
                answer["metadata"]!["creationTimestamp"] = Rfc3339.Format(time.GetUtcNow());
                answer["status"] = new JsonObject { ["userInfo"] = user.ToJson() };
                break;
            case "SelfSubjectAccessReview":
                ReviewRules.Access(review, target).ThrowIfAny(target.Definition, "");
                answer["spec"] = spec.DeepClone();
                answer["status"] = Access(user, spec);
                break;
            case "SubjectAccessReview" or "LocalSubjectAccessReview":
                ReviewRules.Access(review, target).ThrowIfAny(target.Definition, "");
                answer["spec"] = spec.DeepClone();
                answer["status"] = Access(new UserInfo(Fields.Text(spec, "user"), Fields.Text(spec, "uid"), MetadataValidation.Texts(spec, "groups")), spec);
                break;
            case "SelfSubjectRulesReview":
                answer["spec"] = new JsonObject();
                answer["status"] = Rules(user, Fields.Text(spec, "namespace"));
                break;
            default:
                answer["spec"] = spec.DeepClone();
                answer["status"] = Token(spec);
                break;
        }

        Answer.Warn(context, query.Warnings);
        await Answer.JsonAsync(context, 201, answer);
    }

    private static async Task<JsonObject> BodyAsync(HttpContext context, Target target, WriteQuery query)
    {
        var duplicates = new List<string>();
        var review = RequestBody.Parse(await RequestBody.ReadAsync(context), target.Definition.Kind, duplicates);
        FieldCheck.Apply(target.Definition, review, duplicates, query);
        WriteEndpoint.RequireNamespace(target, Fields.Object(review, "metadata"));
        return review;
    }

    private JsonObject Metadata(JsonObject review, WriteQuery query, Target target)
    {
        var metadata = new JsonObject();
        if (target.Namespace.Length > 0)
            metadata["namespace"] = target.Namespace;
        if (query.Options.Manager is not { } manager || target.Definition.Kind == "SelfSubjectReview")
            return metadata;
        var root = new JsonObject { ["spec"] = Fields.Find(review, "spec")?.DeepClone(), ["metadata"] = metadata };
        var fields = new Resources.Apply.ManagedFields();
        fields.Update(Resources.Apply.FieldChanges.Between(Resources.Apply.ManagedFields.Zero(root, isTyped: true), root, target.Definition.Shape),
            new Resources.Apply.Writer(manager, Applies: false, target.Definition.ApiVersion, ""), Rfc3339.Format(time.GetUtcNow()));
        fields.Write(root);
        root.Remove("metadata");
        return metadata;
    }

    private JsonObject Access(UserInfo user, JsonObject spec)
    {
        var asked = Asked(spec);
        var reason = authorizer.Allows(user, asked);
        var status = new JsonObject { ["allowed"] = reason is not null };
        if (reason is { Length: > 0 })
            status["reason"] = reason;
        return status;
    }

    private static AccessAttributes Asked(JsonObject spec)
    {
        if (Fields.Find(spec, "nonResourceAttributes") is { } path)
            return new AccessAttributes(Fields.Text(path, "verb"), "", "", "", "", "", Fields.Text(path, "path"));
        var asked = Fields.Find(spec, "resourceAttributes");
        return new AccessAttributes(Fields.Text(asked, "verb"), Fields.Text(asked, "group"), Fields.Text(asked, "resource"), Fields.Text(asked, "subresource"), Fields.Text(asked, "namespace"), Fields.Text(asked, "name"));
    }

    private JsonObject Rules(UserInfo user, string @namespace)
    {
        var resources = new JsonArray();
        var paths = new JsonArray();
        if (user.IsMaster)
        {
            resources.Add(new JsonObject { ["verbs"] = new JsonArray("*"), ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*") });
            paths.Add(new JsonObject { ["verbs"] = new JsonArray("*"), ["nonResourceURLs"] = new JsonArray("*") });
        }

        foreach (var rule in authorizer.RulesOf(user, @namespace))
            (rule["nonResourceURLs"] is JsonArray { Count: > 0 } ? paths : resources).Add(rule.DeepClone());
        return new JsonObject { ["resourceRules"] = resources, ["nonResourceRules"] = paths, ["incomplete"] = false };
    }

    private JsonObject Token(JsonObject spec)
    {
        var wanted = MetadataValidation.Texts(spec, "audiences");
        if (tokens.Verify(Fields.Text(spec, "token"), wanted) is not var (user, audiences))
            return new JsonObject { ["user"] = new JsonObject(), ["error"] = "[invalid bearer token]" };
        return new JsonObject { ["authenticated"] = true, ["user"] = user.ToJson(), ["audiences"] = new JsonArray([.. audiences.Select(static audience => (JsonNode)audience)]) };
    }
}
