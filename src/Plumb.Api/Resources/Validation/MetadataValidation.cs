using System.Text.Json.Nodes;
using Plumb.Api.Resources.Strategies;

namespace Plumb.Api.Resources.Validation;

/// <summary>`metadata` of every kind.</summary>
internal static class MetadataValidation
{
    private const int MostAnnotationBytes = 256 << 10;

    private static readonly string[] StandardFinalizers = ["orphan", "foregroundDeletion", "kubernetes"];

    public static void Validate(ResourceDefinition definition, JsonObject metadata, Strategy strategy, FieldErrors errors)
    {
        _ = definition;
        var prefix = Fields.Text(metadata, "generateName");
        if (prefix.Length > 0)
        {
            foreach (var fault in NameSyntax.Check(strategy.Name, prefix, isPrefix: true))
                errors.InvalidText("metadata.generateName", prefix, fault);
        }

        var name = Fields.Text(metadata, "name");
        if (name.Length == 0)
        {
            errors.Required("metadata.name", "name or generateName is required");
        }
        else
        {
            foreach (var fault in NameSyntax.Check(strategy.Name, name))
                errors.InvalidText("metadata.name", name, fault);
        }

        ValidateCommon(metadata, errors);
    }

    public static void ValidateUpdate(JsonObject metadata, JsonObject old, FieldErrors errors)
    {
        ValidateCommon(metadata, errors);
        if (old["deletionTimestamp"] is null)
            return;
        var before = Texts(old, "finalizers");
        var added = Texts(metadata, "finalizers").Where(finalizer => !before.Contains(finalizer)).ToList();
        if (added.Count == 0)
            return;

        // The real server looks twice, once for all kinds and once for each, and says so.
        for (var look = 0; look < 2; look++)
        {
            errors.Forbidden("metadata.finalizers",
                $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{string.Join(", ", added.Select(FieldErrors.Quote))}}}");
        }
    }

    /// <param name="field">`metadata.labels`, `spec.selector`, …</param>
    public static void Labels(JsonObject? labels, string field, FieldErrors errors)
    {
        foreach (var (key, value) in labels ?? [])
        {
            if (NameSyntax.QualifiedName(key) is { } keyFault)
                errors.InvalidText(field, key, keyFault);
            var text = value is JsonValue scalar && scalar.TryGetValue<string>(out var found) ? found : "";
            if (NameSyntax.LabelValue(text) is { } valueFault)
                errors.InvalidText(field, text, valueFault);
        }
    }

    private static void ValidateCommon(JsonObject metadata, FieldErrors errors)
    {
        Labels(Fields.Find(metadata, "labels"), "metadata.labels", errors);
        var size = 0;
        foreach (var (key, value) in Fields.Find(metadata, "annotations") ?? [])
        {
            if (NameSyntax.QualifiedName(key.ToLowerInvariant()) is { } fault)
                errors.InvalidText("metadata.annotations", key, fault);
            size += key.Length + (value?.ToString().Length ?? 0);
        }

        if (size > MostAnnotationBytes)
            errors.TooLong("metadata.annotations", MostAnnotationBytes);
        Owners(metadata, errors);
        var index = 0;
        foreach (var finalizer in Texts(metadata, "finalizers"))
        {
            if (NameSyntax.QualifiedName(finalizer) is { } fault)
                errors.InvalidText("metadata.finalizers", finalizer, fault);
            if (!finalizer.Contains('/', StringComparison.Ordinal) && !StandardFinalizers.Contains(finalizer))
                errors.InvalidText($"metadata.finalizers[{index}]", finalizer, "name is neither a standard finalizer name nor is it fully qualified");
            index++;
        }
    }

    private static void Owners(JsonObject metadata, FieldErrors errors)
    {
        var controllers = new List<string>();
        foreach (var owner in Fields.Objects(metadata, "ownerReferences"))
        {
            foreach (var member in (ReadOnlySpan<string>)["apiVersion", "kind", "name", "uid"])
            {
                if (Fields.Text(owner, member).Length == 0)
                    errors.InvalidText("metadata.ownerReferences." + member, "", member == "apiVersion" ? "version must not be empty" : "must not be empty");
            }

            if (Fields.Flag(owner, "controller"))
                controllers.Add($"{Fields.Text(owner, "kind")}/{Fields.Text(owner, "name")}");
        }

        if (controllers.Count > 1)
        {
            errors.Invalid("metadata.ownerReferences", metadata["ownerReferences"],
                $"Only one reference can have Controller set to true. Found \"true\" in references for {controllers[0]} and {controllers[1]}");
        }
    }

    internal static List<string> Texts(JsonObject? parent, string member) =>
        [.. (Fields.Array(parent, member) ?? []).OfType<JsonValue>().Select(static value => value.TryGetValue<string>(out var text) ? text : "")];
}
