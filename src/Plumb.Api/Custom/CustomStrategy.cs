using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Custom;

/// <summary>The objects of a custom resource.</summary>
internal sealed class CustomStrategy(CustomResources resources, StructuralSchema schema, ScalePaths? scale, bool hasStatus) : Strategy
{
    protected override ReadOnlySpan<string> StatusMetadata => [];

    public StructuralSchema Schema { get; } = schema;

    public override void Default(JsonObject root) => Schema.Default(root);

    public override void DefaultStatus(JsonObject root) => Schema.Default(root);

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        if (hasStatus)
            root.Remove("status");
    }

    public override void Validate(JsonObject root, FieldErrors errors) => Validate(root, null, errors);

    /// <summary>An update is looked at beside what was: once, and all of it.</summary>
    public override bool IsSettled(JsonObject root, JsonObject old) => true;

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors) => Validate(root, old, errors);

    public override void ValidateStatus(JsonObject root, JsonObject old, FieldErrors errors)
    {
        InstanceValidation.Validate(root, old, Schema.Root, errors);
        scale?.ValidateStatus(root, errors);
        if (errors.Count == 0)
            CelRules.Validate(root, old, Schema.Root, errors);
    }

    private void Validate(JsonObject root, JsonObject? old, FieldErrors errors)
    {
        var before = errors.Count;
        InstanceValidation.Validate(root, old, Schema.Root, errors);
        scale?.ValidateSpec(root, errors);
        if (errors.Count == before)
            CelRules.Validate(root, old, Schema.Root, errors);
    }

    /// <summary>All but the metadata counts, and the status where it has a writer of its own.</summary>
    public override bool ChangesGeneration(JsonObject root, JsonObject old)
    {
        var counted = Counted(root);
        if (JsonNode.DeepEquals(counted, Counted(old)))
            return false;
        // What was stored under another schema is read by this one, and that is no change of the object.
        var shown = old.DeepClone().AsObject();
        Schema.Prune(shown, []);
        Schema.Default(shown);
        return !JsonNode.DeepEquals(counted, Counted(shown));
    }

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
