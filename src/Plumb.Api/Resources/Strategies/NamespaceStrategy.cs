using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

/// <summary>A namespace goes when its `spec.finalizers` are gone: the namespace controller takes them away once it is empty.</summary>
internal sealed class NamespaceStrategy : Strategy
{
    private static readonly string[] Immortal = ["default", "kube-system", "kube-public"];

    public override NameRule Name => NameRule.Label;

    public override void Default(JsonObject root)
    {
        // A name that the server makes up is known later.
        if (Fields.Text(Fields.Object(root, "metadata"), "generateName").Length == 0)
            Label(root);
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        Label(root);
        var spec = Fields.Object(root, "spec");
        if (Fields.Array(spec, "finalizers") is not { Count: > 0 })
            spec["finalizers"] = new JsonArray("kubernetes");
        root["status"] = new JsonObject { ["phase"] = "Active" };
    }

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission)
    {
        if (part == Part.Main && old["spec"] is { } spec)
            root["spec"] = spec.DeepClone();
    }

    private static void Label(JsonObject root)
    {
        var metadata = Fields.Object(root, "metadata");
        if (Fields.Text(metadata, "name") is { Length: > 0 } name)
            Fields.Object(metadata, "labels")["kubernetes.io/metadata.name"] = name;
    }

    /// <param name="root">A copy of the namespace as it is.</param>
    public static void TakeFinalizers(JsonObject root, JsonObject proposed)
    {
        var spec = Fields.Object(root, "spec");
        if (proposed["spec"]?["finalizers"] is JsonArray { Count: > 0 } finalizers)
            spec["finalizers"] = finalizers.DeepClone();
        else
            spec.Remove("finalizers");
    }

    public override bool HoldsDeletion(JsonObject root) => Fields.Array(Fields.Find(root, "spec"), "finalizers") is { Count: > 0 };

    public override long Grace(JsonObject root, StoredObject present, DeleteOptions options) =>
        Immortal.Contains(present.Name) ? throw ApiException.Forbidden(GroupResource.Namespaces, present.Name, "this namespace may not be deleted") : 0;

    public override void PrepareDeletion(JsonObject root)
    {
        Fields.Object(root, "status")["phase"] = "Terminating";
        Fields.Object(root, "metadata").Remove("deletionGracePeriodSeconds");
    }
}
