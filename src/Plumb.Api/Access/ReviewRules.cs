using System.Text.Json.Nodes;
using Plumb.Api.Http;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Access;

/// <summary>What a question about access must say; who may ask about one namespace does not learn of another.</summary>
internal static class ReviewRules
{
    public static FieldErrors Access(JsonObject review, Target target)
    {
        var errors = new FieldErrors();
        var spec = Fields.Object(review, "spec");
        var resource = Fields.Find(spec, "resourceAttributes");
        var path = Fields.Find(spec, "nonResourceAttributes");
        if (resource is not null && path is not null)
            errors.Invalid("spec.nonResourceAttributes", Shown(path), "cannot be specified in combination with resourceAttributes");
        if (resource is null && path is null)
            errors.Invalid("spec.resourceAttributes", "null", "exactly one of nonResourceAttributes or resourceAttributes must be specified");
        var isSelf = target.Definition.Kind == "SelfSubjectAccessReview";
        if (!isSelf && Fields.Text(spec, "user").Length == 0 && MetadataValidation.Texts(spec, "groups").Count == 0)
            errors.InvalidText("spec.user", "", "at least one of user or group must be specified");
        if (target.Definition.Kind != "LocalSubjectAccessReview")
            return errors;
        if (resource is not null && Fields.Text(resource, "namespace") is var asked && asked != target.Namespace)
            errors.InvalidText("spec.resourceAttributes.namespace", asked, "must match metadata.namespace");
        if (path is not null)
            errors.Invalid("spec.nonResourceAttributes", Shown(path), "disallowed on this kind of request");
        return errors;
    }

    private static JsonObject Shown(JsonObject path) => new() { ["Path"] = Fields.Text(path, "path"), ["Verb"] = Fields.Text(path, "verb") };
}
