using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Schema;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Requests;

/// <summary>DeleteOptions, from the body where there is one, else from the query.</summary>
internal static class DeleteQuery
{
    /// <exception cref="ApiException">400, 422.</exception>
    public static async Task<DeleteOptions> ParseAsync(HttpContext context)
    {
        var bytes = await RequestBody.ReadAsync(context);
        var query = context.Request.Query;
        JsonObject body = [];
        if (bytes.Length > 0)
            body = ParseBody(bytes);
        var grace = Fields.Number(body, "gracePeriodSeconds") ?? ListQuery.Number(query, "gracePeriodSeconds");
        var policy = Fields.Text(body, "propagationPolicy") is { Length: > 0 } said ? said : query["propagationPolicy"].ToString();
        var orphan = body["orphanDependents"] is JsonValue ? Fields.Flag(body, "orphanDependents") : query.ContainsKey("orphanDependents") ? ListQuery.Flag(query, "orphanDependents") : (bool?)null;
        var errors = new FieldErrors();
        if (policy.Length > 0 && orphan is not null)
            errors.InvalidText("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set");
        else if (policy is not ("" or "Background" or "Foreground" or "Orphan"))
            errors.NotSupported("propagationPolicy", policy, "Foreground", "Background", "Orphan", "nil");
        var dryRun = MetadataValidation.Texts(body, "dryRun") is [var first, ..] ? first : query["dryRun"].ToString();
        if (dryRun is not ("" or "All"))
            errors.NotSupportedShown("dryRun", $"[{FieldErrors.Quote(dryRun)}]", "All");
        if (errors.Count > 0)
            throw errors.ToException("meta.k8s.io", "DeleteOptions", "");

        var preconditions = Fields.Find(body, "preconditions");
        var version = Fields.Text(preconditions, "resourceVersion");
        return new DeleteOptions
        {
            GracePeriodSeconds = grace,
            Propagation = policy switch
            {
                "Background" => Propagation.Background,
                "Foreground" => Propagation.Foreground,
                "Orphan" => Propagation.Orphan,
                _ => orphan switch { true => Propagation.Orphan, false => Propagation.Background, null => null },
            },
            Uid = Fields.Text(preconditions, "uid") is { Length: > 0 } uid ? uid : null,
            ResourceVersion = long.TryParse(version, out var number) ? number : null,
            DryRun = dryRun.Length > 0,
            User = Gate.UserOf(context),
        };
    }

    private static JsonObject ParseBody(byte[] bytes)
    {
        var body = RequestBody.Parse(bytes, "DeleteOptions", []);
        var kind = Fields.Text(body, "kind");
        if (kind is not ("" or "DeleteOptions"))
            throw new ApiException(500, "", $"no kind \"{kind}\" is registered for version \"{Fields.Text(body, "apiVersion")}\" in scheme \"pkg/apis/meta/internalversion/scheme/register.go:27\"");
        if (FieldWalk.Over(TypeTable.Named("DeleteOptions"), body).Mismatch is { } mismatch)
            throw ApiException.BadRequest(mismatch);
        return body;
    }
}
