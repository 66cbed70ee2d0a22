using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Api.Http.Requests;

/// <summary>The body of a PATCH as a function from the present object to the next.</summary>
internal static class Patching
{
    /// <param name="definition">Null for Scale, which has no lists to merge.</param>
    /// <param name="members">The only members of the object that the patch can change; null: any.</param>
    /// <exception cref="ApiException">400, 415; calling the function: 422, 500.</exception>
    public static Func<JsonObject, JsonObject> Read(HttpContext context, byte[] body, ResourceDefinition? definition, out HashSet<string>? members)
    {
        if (definition?.Custom is not null && RequestBody.MediaType(context) == Patch.StrategicMergeMediaType)
            throw RequestBody.UnsupportedMediaType($"{Patch.JsonMediaType}, {Patch.MergeMediaType}, {Patch.ApplyMediaType}");
        PatchKind kind = RequestBody.MediaType(context) switch
        {
            Patch.JsonMediaType => PatchKind.Json,
            Patch.MergeMediaType => PatchKind.Merge,
            Patch.StrategicMergeMediaType => PatchKind.StrategicMerge,
            _ => throw new ApiException(415, "UnsupportedMediaType", "415: Unsupported Media Type", []),
        };
        if (ListQuery.Flag(context.Request.Query, "force") && context.Request.Query.ContainsKey("force"))
        {
            var errors = new FieldErrors();
            errors.Forbidden("force", "may not be specified for non-apply patch");
            throw errors.ToException("meta.k8s.io", "PatchOptions", "");
        }

        try
        {
            var patch = Patch.Parse(kind, body);
            members = patch.ToNode() is JsonObject changes ? [.. changes.Select(static change => change.Key)] : null;
            var gvk = definition is null
                ? new GroupVersionKind("autoscaling", "v1", "Scale")
                : new GroupVersionKind(definition.Resource.Group, definition.Version, definition.Kind);
            return original => Apply(patch, original, gvk);
        }
        catch (PatchException refused)
        {
            throw Refusal(refused);
        }
    }

    private static JsonObject Apply(Patch patch, JsonObject original, GroupVersionKind kind)
    {
        try
        {
            return patch.Apply(original, kind);
        }
        catch (PatchException refused)
        {
            throw Refusal(refused);
        }
    }

    public static ApiException Refusal(PatchException refused) => refused.Failure switch
    {
        PatchFailure.Malformed => ApiException.BadRequest(refused.Message),
        PatchFailure.Inapplicable => new ApiException(422, "Invalid", refused.Message, []),
        PatchFailure.TooLarge => new ApiException(413, "RequestEntityTooLarge", refused.Message),
        _ => new ApiException(500, "", refused.Message),
    };
}
