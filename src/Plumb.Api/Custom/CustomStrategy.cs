using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Custom;

/// <summary>The objects of a custom resource.</summary>
internal sealed class CustomStrategy(CustomResources resources, StructuralSchema schema, ScalePaths? scale, bool hasStatus) : Strategy
{
    public StructuralSchema Schema { get; } = schema;

    public override void Default(JsonObject root) => Schema.Default(root);

    public override void DefaultStatus(JsonObject root) => Schema.Default(root);

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        if (hasStatus)
            root.Remove("status");
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        InstanceValidation.Validate(root, Schema.Root, errors);
        if (scale is null || JsonPaths.Find(root, scale.Spec) is not { } replicas)
            return;
        if (Fields.Number(replicas) is not { } number)
            errors.Invalid(scale.Spec, "0", $"{scale.Spec} accessor error: {replicas} is of the type {InstanceValidation.TypeOf(replicas)}, expected int64");
        else if (number < 0)
            errors.Invalid(scale.Spec, number.ToString(), "should be a non-negative integer");
    }

    public override void ValidateStatus(JsonObject root, JsonObject old, FieldErrors errors) => InstanceValidation.Validate(root, Schema.Root, errors);

    /// <summary>All but the metadata counts, and the status where it has a writer of its own.</summary>
    public override bool ChangesGeneration(JsonObject root, JsonObject old) => !JsonNode.DeepEquals(Counted(root), Counted(old));

    public override void Deleted(JsonObject last) => resources.InstanceGone(last);

    private JsonObject Counted(JsonObject root)
    {
        var counted = new JsonObject();
        foreach (var (name, value) in root)
        {
            if (name is not ("metadata" or "kind" or "apiVersion") && !(hasStatus && name == "status"))
                counted[name] = value?.DeepClone();
        }

        return counted;
    }
}

/// <summary>Where a custom resource has what its scale shows.</summary>
/// <param name="Selector">Of the text of its selector; null: it tells none.</param>
internal sealed record ScalePaths(string Spec, string Status, string? Selector)
{
    public static readonly ScalePaths Workload = new(".spec.replicas", ".status.replicas", null);
}
