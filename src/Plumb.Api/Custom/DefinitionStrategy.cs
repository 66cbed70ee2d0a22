using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Custom;

/// <summary>CustomResourceDefinitions: what they must say before the resources that they define are served.</summary>
internal sealed class DefinitionStrategy(CustomResources resources) : Strategy
{
    protected override ReadOnlySpan<string> StatusMetadata => [];

    public static readonly GroupResource Resource = new("apiextensions.k8s.io", "customresourcedefinitions");

    private const string Schemas = "spec.validation.openAPIV3Schema";

    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        var names = Fields.Object(spec, "names");
        var kind = Fields.Text(names, "kind");
        if (kind.Length > 0)
        {
            Fields.DefaultText(names, "singular", kind.ToLowerInvariant());
            Fields.DefaultText(names, "listKind", kind + "List");
        }

        Fields.DefaultText(Fields.Object(spec, "conversion"), "strategy", "None");
        if (spec["preserveUnknownFields"] is not null && !Fields.Flag(spec, "preserveUnknownFields"))
            spec.Remove("preserveUnknownFields");
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        var stored = new JsonArray();
        foreach (var version in Fields.Objects(Fields.Find(root, "spec"), "versions"))
        {
            if (Fields.Flag(version, "storage"))
                stored.Add(Fields.Text(version, "name"));
        }

        root["status"] = new JsonObject
        {
            ["conditions"] = null,
            ["acceptedNames"] = new JsonObject { ["plural"] = "", ["kind"] = "" },
            ["storedVersions"] = stored.Count > 0 ? stored : null,
        };
    }

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission)
    {
        var stored = Fields.Array(Fields.Find(root, "status"), "storedVersions");
        foreach (var version in Fields.Objects(Fields.Find(root, "spec"), "versions"))
        {
            var name = Fields.Text(version, "name");
            if (part == Part.Main && Fields.Flag(version, "storage") && stored?.Any(known => known!.ToString() == name) == false)
                stored.Add(name);
        }
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        var names = Fields.Object(spec, "names");
        var group = Fields.Text(spec, "group");
        var plural = Fields.Text(names, "plural");
        var metadata = Fields.Object(root, "metadata");
        if (Fields.Text(metadata, "name") is var name && name != $"{plural}.{group}")
            errors.InvalidText("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
        Group(group, metadata, errors);
        PodValidation.Choice(spec, "scope", "spec", errors, "Cluster", "Namespaced");
        Names(names, errors);
        if (Fields.Flag(spec, "preserveUnknownFields"))
        {
            errors.Invalid("spec.preserveUnknownFields", "true", "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
            return;
        }

        if (Fields.Text(Fields.Find(spec, "conversion"), "strategy") is var strategy && strategy != "None")
            errors.NotSupported("spec.conversion.strategy", strategy, "None");
        Versions([.. Fields.Objects(spec, "versions")], errors);
        if (root["status"] is JsonObject status && Fields.Array(status, "storedVersions") is not { Count: > 0 })
            errors.Invalid("status.storedVersions", "null", "must have at least one stored version");
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        var before = Fields.Object(old, "spec");
        Keeps("spec.group", Fields.Text(spec, "group"), Fields.Text(before, "group"), errors);
        Keeps("spec.names.plural", Fields.Text(Fields.Find(spec, "names"), "plural"), Fields.Text(Fields.Find(before, "names"), "plural"), errors);
        Keeps("spec.scope", Fields.Text(spec, "scope"), Fields.Text(before, "scope"), errors);
        Keeps("spec.names.kind", Fields.Text(Fields.Find(spec, "names"), "kind"), Fields.Text(Fields.Find(before, "names"), "kind"), errors);
        var known = Fields.Objects(spec, "versions").Select(static version => Fields.Text(version, "name")).ToHashSet();
        var index = 0;
        foreach (var stored in MetadataValidation.Texts(Fields.Find(old, "status"), "storedVersions"))
        {
            if (!known.Contains(stored))
                errors.InvalidText($"status.storedVersions[{index}]", stored, "missing from spec.versions; " + $"{stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {stored} and removes {stored} from status.storedVersions");
            index++;
        }
    }

    public override void Created(JsonObject root) => resources.Serve(root);

    public override void Updated(JsonObject root, JsonObject old) => resources.Changed(root);

    public override void DeletionBegun(JsonObject root) => resources.Changed(root);

    public override void Deleted(JsonObject last) => resources.Withdraw(last);

    /// <summary>The objects go with their definition, and before it.</summary>
    public override bool HoldsDeletion(JsonObject root) => resources.HasInstances(root);

    private static void Keeps(string field, string now, string before, FieldErrors errors)
    {
        if (now != before)
            errors.InvalidText(field, now, "field is immutable");
    }

    private static void Group(string group, JsonObject metadata, FieldErrors errors)
    {
        const string approval = "api-approved.kubernetes.io";
        if (group.Length == 0)
            errors.Required("spec.group");
        else if (!group.Contains('.', StringComparison.Ordinal))
            errors.InvalidText("spec.group", group, "should be a domain with at least one dot");
        foreach (var fault in group.Length == 0 ? [] : NameSyntax.Subdomain(group))
            errors.InvalidText("spec.group", group, fault);
        var isProtected = group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal) || group is "k8s.io" or "kubernetes.io";
        if (isProtected && Fields.Text(Fields.Find(metadata, "annotations"), approval).Length == 0)
            errors.Required($"metadata.annotations[{approval}]", $"protected groups must have approval annotation \"{approval}\", see https://github.com/kubernetes/enhancements/pull/1111");
    }

    private static void Names(JsonObject names, FieldErrors errors)
    {
        foreach (var member in (ReadOnlySpan<string>)["plural", "singular"])
        {
            var text = Fields.Text(names, member);
            if (text.Length == 0)
                errors.Required("spec.names." + member);
            foreach (var fault in text.Length == 0 ? [] : NameSyntax.Rfc1035(text))
                errors.InvalidText("spec.names." + member, text, fault);
        }

        foreach (var member in (ReadOnlySpan<string>)["kind", "listKind"])
        {
            var text = Fields.Text(names, member);
            if (text.Length == 0)
                errors.Required("spec.names." + member);
            foreach (var fault in text.Length == 0 ? [] : NameSyntax.Rfc1035(text.ToLowerInvariant()))
                errors.InvalidText("spec.names." + member, text, "may have mixed case, but should otherwise match: " + fault);
        }

        if (Fields.Text(names, "kind") is { Length: > 0 } kind && kind == Fields.Text(names, "listKind"))
            errors.InvalidText("spec.names.listKind", kind, "kind and listKind may not be the same");
    }

    private static void Versions(List<JsonObject> versions, FieldErrors errors)
    {
        if (versions.Count(static version => Fields.Flag(version, "storage")) != 1)
        {
            var shown = new JsonArray([.. versions.Select(static version => new JsonObject
            {
                ["Name"] = Fields.Text(version, "name"),
                ["Served"] = Fields.Flag(version, "served"),
                ["Storage"] = Fields.Flag(version, "storage"),
                ["Deprecated"] = Fields.Flag(version, "deprecated"),
                ["DeprecationWarning"] = null,
                ["Schema"] = null,
                ["Subresources"] = null,
                ["AdditionalPrinterColumns"] = null,
                ["SelectableFields"] = null,
            })]);
            errors.Invalid("spec.versions", shown, "must have exactly one version marked as storage version");
        }

        // What all versions say alike, messages name once, as of the definition.
        var schemas = AreAlike(versions, "schema");
        var subresources = AreAlike(versions, "subresources");
        var columns = AreAlike(versions, "additionalPrinterColumns");
        var seen = new HashSet<string>();
        for (var i = 0; i < versions.Count; i++)
        {
            var at = $"spec.versions[{i}]";
            var name = Fields.Text(versions[i], "name");
            foreach (var fault in NameSyntax.Rfc1035(name))
                errors.InvalidText($"{at}.name", name, fault);
            if (!seen.Add(name))
                errors.Invalid($"{at}.name", FieldErrors.Quote(name), "must contain unique version names");
            if (Fields.Find(Fields.Find(versions[i], "schema"), "openAPIV3Schema") is not { } schema)
                errors.Required($"{at}.schema.openAPIV3Schema");
            else if (!schemas || i == 0)
                SchemaRules.Validate(schema, schemas ? Schemas : $"{at}.schema.openAPIV3Schema", errors);
            if (Fields.Find(Fields.Find(versions[i], "subresources"), "scale") is { } scale && (!subresources || i == 0))
                ScalePaths.ValidateDefinition(scale, subresources ? "spec.subresources" : $"{at}.subresources", errors);
            if (!columns || i == 0)
                Columns(versions[i], columns ? "spec" : at, errors);
        }
    }

    private static bool AreAlike(List<JsonObject> versions, string member) => versions.TrueForAll(version => JsonNode.DeepEquals(version[member], versions[0][member]));

    private static void Columns(JsonObject version, string at, FieldErrors errors)
    {
        const string types = "boolean,date,integer,number,string";
        const string formats = "byte,date,date-time,double,float,int32,int64,password";
        var index = 0;
        foreach (var column in Fields.Objects(version, "additionalPrinterColumns"))
        {
            var here = $"{at}.additionalPrinterColumns[{index++}]";
            if (Fields.Text(column, "name").Length == 0)
                errors.Required(here + ".name");
            if (Fields.Text(column, "type") is not { Length: > 0 } type)
                errors.Required(here + ".type", $"must be one of {types}");
            else if (!types.Split(',').Contains(type))
                errors.InvalidText(here + ".type", type, $"must be one of {types}");
            if (Fields.Text(column, "format") is { Length: > 0 } format && !formats.Split(',').Contains(format))
                errors.InvalidText(here + ".format", format, $"must be one of {formats}");
            if (Fields.Text(column, "jsonPath") is not { Length: > 0 } path)
                errors.Required(here + ".JSONPath");
            else if (path[0] != '.')
                errors.InvalidText(here + ".JSONPath", path, "must be a simple json path starting with .");
        }
    }
}
