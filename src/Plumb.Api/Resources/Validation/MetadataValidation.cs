using System.Text.Json.Nodes;
using Plumb.Api.Resources.Strategies;

namespace Plumb.Api.Resources.Validation;

/// <summary>`metadata` of every kind.</summary>
internal static class MetadataValidation
{
    public static void Validate(ResourceDefinition definition, JsonObject metadata, Strategy strategy, FieldErrors errors)
    {
        if (Fields.Text(metadata, "name").Length == 0)
            errors.Required("metadata.name", "name or generateName is required");
    }

    public static void ValidateUpdate(JsonObject metadata, JsonObject old, FieldErrors errors)
    {
    }
}

internal enum NameRule
{
    /// <summary>RFC 1123 subdomain, 253 characters.</summary>
    Subdomain,

    /// <summary>RFC 1123 label, 63 characters.</summary>
    Label,

    /// <summary>RFC 1035 label, 63 characters, begins with a letter.</summary>
    Rfc1035Label,

    /// <summary>Anything that can be one step of a path.</summary>
    PathSegment,
}
